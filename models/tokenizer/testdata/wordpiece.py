"""WordPiece tokenizers as the Python package makes and uses them, for the tests:

    python wordpiece.py     # writes wordpiece.json

Run with tokenizers 0.23.3, after pieces.py.
"""
import gzip, json, os, random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

HERE = os.path.dirname(os.path.abspath(__file__))
lines = json.load(gzip.open(os.path.join(HERE, "lines.json.gz"), "rt"))
lines = lines if isinstance(lines, list) else lines["lines"]
pieces = json.load(open(os.path.join(HERE, "pieces.json")))
random.seed(20261130)
ODD = ["\u200b", "\u0085", "\u2028", "\u0378", "\ue000", "\ufffd", "İ", "ß", "ǅ", "ﬁ", "e\u0301", "\u0903", "\u20dd", "𬺰", "⹒", "‿", "«", "~", "$", "\u1c90", "中文", "々", "、", "don't", "it's .", "x" * 101, "x" * 100,
       "\U0001e944", "\u0898", "\u08e2", "한국", "[CLS]", " [SEP] ", "[cls]", "##ing", "\t", "\u3000", "\u00ad"]
texts = pieces["texts"][::3] + ODD + random.sample(lines, min(80, len(lines))) + ["".join(random.choice(ODD + ["a", "The", " ", ". ", "1"]) for _ in range(6)) for _ in range(120)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# A vocabulary that is written down, since the package's trainer doesn't make the same one twice.
words, chars = {}, {}
for line in lines:
    for word in (w for w in line.split() if len(w) < 40):
        words[word] = words.get(word, 0) + 1
for c in "".join(lines) + "".join(texts):
    if not c.isspace() and c.isprintable():
        chars[c] = chars.get(c, 0) + 1
common = sorted(words, key=lambda w: (-words[w], w))[:600]
single = sorted(chars, key=lambda c: (-chars[c], c))[:300]
ends = ["ing", "ed", "ion", "er", "ly", "s", "'s", "th", "el", "an", "en"]
def vocabulary(lower):
    form = (lambda s: s.lower()) if lower else (lambda s: s)
    all = SPECIAL + [form(w) for w in common] + [form(c) for c in single] + ["##" + form(c) for c in single] + ["##" + e for e in ends] + ["'", "##'", ".", "n't", "do not", "'s"]
    return {token: i for i, token in enumerate(dict.fromkeys(all))}
out = {"texts": texts, "tokenizers": {}}
for name, o in {"uncased": dict(lowercase=True), "cased": dict(lowercase=False), "accents": dict(lowercase=True, strip_accents=False), "plain": dict(lowercase=True, clean_text=False, handle_chinese_chars=False)}.items():
    vocab = vocabulary(o["lowercase"])
    tok = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer, tok.pre_tokenizer = normalizers.BertNormalizer(**o), pre_tokenizers.BertPreTokenizer()
    tok.decoder = decoders.WordPiece(prefix="##", cleanup=name != "plain")
    tok.add_special_tokens(SPECIAL)
    if name == "cased":
        tok.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    else:
        tok.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    ids = [tok.encode(text).ids for text in texts]
    out["tokenizers"][name] = {"file": json.loads(tok.to_str()), "ids": ids, "decoded": [tok.decode(i, skip_special_tokens=False) for i in ids]}
with open(os.path.join(HERE, "wordpiece.json"), "w", encoding="utf-8") as f:
    json.dump(out, f, ensure_ascii=True, separators=(",", ":"))
print(len(texts), "texts")
