"""Texts with special tokens inside, as the Python package encodes them with the tokenizers beside it:

    python special.py     # writes special.json

Run with tokenizers 0.23.3. No random numbers.
"""
import glob, gzip, json, os
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = ["{s}a mill", "{s} a mill", "a mill{s}on", "a mill {s} on", "{s}{s}tea", "{s}\n{s} tea", "tea{s}", "tea {s}", " {s}", "{s}", "{s}  two", "x{s}é{s}  z"]
want = {}
for path in sorted(glob.glob(os.path.join(HERE, "*.tokenizer.json.gz"))):
    name = os.path.basename(path).split(".")[0]
    tok = Tokenizer.from_str(gzip.open(path, "rt").read())
    added = sorted((i, t) for i, t in tok.get_added_tokens_decoder().items() if t.special)
    if not added:
        continue
    rows = []
    for token in [added[0][1].content, added[-1][1].content]:
        for form in FORMS:
            text = form.format(s=token)
            rows.append([text, tok.encode(text, add_special_tokens=False).ids, tok.encode(text).ids])
    want[name] = rows
with open(os.path.join(HERE, "special.json"), "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: [\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in v) + "]" for k, v in want.items()) + "\n}\n")
