"""Cuts texts by the patterns of tokenizers as the Python package does, for the tests:

    python pieces.py     # writes pieces.json

Run with tokenizers 0.23.3.
"""

import json, os, random

from tokenizers import Regex
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
}
random.seed(20261129)
PARTS = ["the", "The", "THE", "camelCase", "don't", "DON'T", "'S", "it’s", "naïve", "e\u0301", "Straße", "ſ", "日本語", "ไทย", "हिन्दी", "مرحبا", "😀", "👨‍👩‍👧",
         "1", "12", "1234", "٣٤", "½", " ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", ".", "...", "!?", "/", "//\n", "-", "_", "$", "<|x|>", "\x00"]
TEXTS = PARTS + ["".join(random.choice(PARTS) for _ in range(random.randint(2, 14))) for _ in range(400)]
out = {"texts": TEXTS, "patterns": PATTERNS, "pieces": {}}
for name, pattern in PATTERNS.items():
    cut = Split(Regex(pattern), "isolated")
    out["pieces"][name] = [[piece for piece, _ in cut.pre_tokenize_str(text)] for text in TEXTS]
out["named"] = {}
for name, patterns in SEQUENCES.items():
    cut = Sequence([Split(Regex(pattern), "isolated") for pattern in patterns])
    out["named"][name] = [[piece for piece, _ in cut.pre_tokenize_str(text)] for text in TEXTS[::4]]
with open(os.path.join(HERE, "pieces.json"), "w", encoding="utf-8") as f:
    json.dump(out, f, ensure_ascii=True, separators=(",", ":"))
print(len(PATTERNS), "patterns,", len(TEXTS), "texts")
