"""Cuts texts by the patterns of tokenizers as the Python package does, for the tests:

    python pieces.py     # writes pieces.json

Run with tokenizers 0.23.3.
"""

import json, os, random

from tokenizers import Regex, normalizers
from tokenizers.pre_tokenizers import Sequence, Split

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UP, LOW = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
END = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PATTERNS = {
    "gpt-4o": rf"[^\r\n\p{{L}}\p{{N}}]?{UP}*{LOW}+{CASES}?|[^\r\n\p{{L}}\p{{N}}]?{UP}+{LOW}*{CASES}?|\p{{N}}{{1,3}}" + END,
    "tekken": rf"[^\r\n\p{{L}}\p{{N}}]?{UP}*{LOW}+|[^\r\n\p{{L}}\p{{N}}]?{UP}+{LOW}*|\p{{N}}" + END,
    "qwen35": CASES + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "llama3": CASES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "words": r"\p{L}+|\d{2}",
    "deepseek": r"\s?[\p{P}\p{S}]+|[\r\n]|\s?\p{L}+|\s+",
}
# What llama.cpp's llama-vocab.cpp cuts by, one after the other, for names of tokenizer.ggml.pre.
HAN = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
PORO = r" ?[^(\s|.,!?…。，、।۔،)]+"
ALPHABETS = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"
DEEP3 = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = PATTERNS["llama3"].replace(r"\p{N}{1,3}", r"\p{N}")
SEQUENCES = {
    "default": [r"[\p{P}\$\+<=>\^~\|]+", PATTERNS["gpt2"], r"\p{N}+", "[0-9][0-9][0-9]"],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", PATTERNS["gpt2"], "[0-9][0-9][0-9]"],
    "minicpm5": [r"\p{N}{1,3}", QWEN2.replace(r"|\p{N}|", r"|\p{N}+|")],
    "seed-coder": [CASES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "ufakzeka": [r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "bailingmoe": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"],
    "deepseek-coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK, r"\p{N}"],
    "deepseek-v3": [r"\p{N}{1,3}", HAN, DEEP3],
    "kormo": [QWEN2],
    "deepseek-llm": ["[\r\n]", ALPHABETS, "\\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", CJK, r"\p{N}+"],
    "spark2_5": [r"\p{N}{1,3}", HAN, DEEP3.replace(r"[\r\n]*|\s*[\r\n]+|", r"|[\r\n]|"), r"\p{N}"],
    "youtu": ["[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+", PATTERNS["gpt-4o"].replace("{1,3}", "")],
    "exaone-moe": [CASES + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"],
    "laguna": [r"[^\n]+|[\n]+", QWEN2],
    "chameleon": ["<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", r"([\t\n]|    |  )", r"\p{N}", r"[\p{P}!-/:-@\[-`{-~]", PATTERNS["gpt2"]],
    "poro-chat": [PORO],
    "superbpe": [r"\p{N}+", r"(?=(\d{3})+(?!\d))"],
    "viking": [PORO, r"\p{N}"],
}
SEQUENCES |= {
    "afmoe": [r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))", "[一-鿿㐀-䶿豈-\ufaff぀-ゟ゠-ヿ･-ﾟ⼀-\u2fdfเ-\u0e7f\u0e80-\u0effក-\u17ffက-႟ꩠ-ꩿꧠ-\ua9ff가-\ud7afᄀ-ᇿ]+", DEEP3],
    "jais-2": [PATTERNS["llama3"].replace(r"\s+(?!\S)|\s+", "|".join(rf"\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4)) + r"|\s{1,2}(?!\S)|\s{1}")],
    "kimi-k2": [r"[\p{Han}]+" + "".join(rf"|[^\r\n\p{{L}}\p{{N}}]?{UP[:-1]}&&[^\p{{Han}}]]{a}{LOW[:-1]}&&[^\p{{Han}}]]{b}{CASES}?" for a, b in ("*+", "+*")) + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "gemma4": [r"[^\n]+|[\n]+"],
    "granite-embed-multi-97m": [PATTERNS["gpt-4o"]],
    "tiny_aya": [r"\d{1,3}(?=(?:\d{3})*\b)", PATTERNS["gpt-4o"]],
}
random.seed(20261129)
PARTS = ["the", "The", "THE", "camelCase", "don't", "DON'T", "'S", "it’s", "naïve", "e\u0301", "Straße", "ſ", "日本語", "ไทย", "हिन्दी", "مرحبا", "😀", "👨‍👩‍👧",
         "1", "12", "1234", "1234567", "٣٤", "½", " ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", ".", "...", "!?", "/", "//\n", "-", "_", "$", "<|x|>", "\x00"]
TEXTS = PARTS + ["".join(random.choice(PARTS) for _ in range(random.randint(2, 14))) for _ in range(400)]
out = {"texts": TEXTS, "patterns": PATTERNS, "pieces": {}}
for name, pattern in PATTERNS.items():
    cut = Split(Regex(pattern), "isolated")
    out["pieces"][name] = [[piece for piece, _ in cut.pre_tokenize_str(text)] for text in TEXTS]
out["named"] = {}
for name, patterns in SEQUENCES.items():
    cut = Sequence([Split(Regex(pattern), "isolated") for pattern in patterns])
    out["named"][name] = [[piece for piece, _ in cut.pre_tokenize_str(text)] for text in TEXTS[::4]]
# What the names of GROUPS cut otherwise than others: numbers and white space that are long, and what ends a word.
LONG = ["1", "12", "123", "1234", "1234567", "1234567890", "٣٤٥٦", "½", "²³", "Ⅷ", "ⅷⅷⅷⅷ", "a", "é", "e\u0301", "_", "-", ".", ",", "日本", "々", "〆", "ไทย", "ⓐ", "\u200d", "\u200c", "\u203f", "’s", "'S",
        "\n", " ", "  ", " " * 3, " " * 7, " " * 30, " " * 255, " " * 513, " " * 1100, "\t", "\u3000" * 5, "\u00a0"]
GROUPS = ["afmoe", "jais-2", "kimi-k2", "tiny_aya"]
out["long"] = LONG + ["".join(random.choice(LONG) for _ in range(random.randint(2, 8))) for _ in range(300)]
out["grouped"] = {name: [[len(piece) for piece, _ in Sequence([Split(Regex(pattern), "isolated") for pattern in SEQUENCES[name]]).pre_tokenize_str(text)] for text in out["long"]] for name in GROUPS}
# A regular expression whose matches, or what lies between them, are dropped.
out["removed"] = {}
for name, invert in [("words", False), ("words", True), ("gpt-4o", True)]:
    cut = Split(Regex(PATTERNS[name]), "removed", invert)
    out["removed"][f"{name} {invert}"] = [[piece for piece, _ in cut.pre_tokenize_str(text)] for text in TEXTS[::8]]
# Normal forms of what Unicode has given classes and decompositions since version 10.
MARKS = ["e\u0301", "\u0345\u1abf", "\u1abf\u0334", "\u32ff", "\ua7f2", "\uab69", "\U00010781", "\U0001e030", "\U0001f16c", "\U0001fbf5", "\U00011938",
         "\U00011935\U00011930", "\ufb01", "A\u030a", "q\u0307\u0323", "\u0344", "\u212b", "\u1100\u1161\u11a8", "a"]
FORMS = MARKS + ["".join(random.choice(MARKS) for _ in range(4)) for _ in range(60)]
out["forms"] = {kind: [[text, getattr(normalizers, kind)().normalize_str(text)] for text in FORMS] for kind in ("NFC", "NFD", "NFKC", "NFKD")}
with open(os.path.join(HERE, "pieces.json"), "w", encoding="utf-8") as f:
    json.dump(out, f, ensure_ascii=True, separators=(",", ":"))
print(len(PATTERNS), "patterns,", len(TEXTS), "texts")
