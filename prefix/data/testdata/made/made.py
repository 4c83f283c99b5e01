"""Writes files of examples with the programs that people use for them, and what is in
them, for the tests:

    python made.py     # writes the files beside it

Run with Python 3.11, pandas 3.1.1 and pyarrow 26.0.1.
"""

import csv, json, os

import pandas

HERE = os.path.dirname(os.path.abspath(__file__))

PAIRS = [
    ("What is 2+2?", "4"),
    ("Say \"hello, world\"; twice", "hello, world\nhello, world"),
    ("Übung: café | crème\tbrûlée", "ça va – très bien"),
    ("a;b,c", "d|e"),
    ("  spaces  ", " kept "),
    ("line one\r\nline two", "answer, with comma"),
]
want = {}


def path(name, pairs=PAIRS):
    want[name] = [list(p) for p in pairs]
    return os.path.join(HERE, name)


def table(name, encoding="utf-8", **dialect):
    # Line breaks inside cells as spreadsheets write them.
    pairs = [(a.replace("\r\n", "\n"), b) for a, b in PAIRS]
    with open(path(name, pairs), "w", encoding=encoding, newline="") as f:
        w = csv.writer(f, **dialect)
        w.writerow(["prompt", "completion"])
        w.writerows(pairs)


table("excel.csv", "utf-8-sig", dialect="excel")
table("excel-semicolons.csv", "cp1252", delimiter=";")
table("excel-unicode.txt.tsv", "utf-16", dialect="excel-tab")
table("bars.csv", delimiter="|")
table("quoted.csv", quoting=csv.QUOTE_ALL)
frame = pandas.DataFrame(PAIRS, columns=["prompt", "completion"])
CELLS = [(a.replace("\r\n", "\n"), b) for a, b in PAIRS]  # line breaks inside cells are read as \n
frame.to_csv(path("pandas-index.csv", CELLS))
frame.to_csv(path("pandas.csv", CELLS), index=False)
frame.to_csv(path("pandas.tsv", CELLS), index=False, sep="\t")
frame.to_json(path("pandas-records.json"), orient="records")
frame.to_json(path("pandas-lines.jsonl"), orient="records", lines=True)
frame.to_json(path("pandas-indent.json"), orient="records", indent=2)


def lines(name, records, pairs=PAIRS):
    with open(path(name, pairs), "w", encoding="utf-8", newline="") as f:
        f.write("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))


lines("gsm.jsonl", [{"question": a, "answer": b} for a, b in PAIRS], [(a + "\n", b) for a, b in PAIRS])
lines("alpaca.jsonl", [{"instruction": "Do:", "input": a, "output": b} for a, b in PAIRS], [("Do:\n\n" + a + "\n", b) for a, b in PAIRS])
lines("dolly.jsonl", [{"instruction": "Do:", "context": a, "response": b, "category": "x"} for a, b in PAIRS], [("Do:\n\n" + a + "\n", b) for a, b in PAIRS])
lines("reviews.jsonl", [{"review": a, "sentiment": b} for a, b in PAIRS], [(a + "\nLabel:", " " + b) for a, b in PAIRS])
lines("preference.jsonl", [{"prompt": a, "chosen": b, "rejected": "no"} for a, b in PAIRS])
turns = lambda a, b: [("user", a), ("assistant", b)]
lines("sharegpt.jsonl", [{"id": "x", "conversations": [{"from": "human", "value": a}, {"from": "gpt", "value": b}]} for a, b in PAIRS], [turns(a, b) for a, b in PAIRS])
lines("sharegpt-system.jsonl", [{"system": "Be brief.", "conversations": [{"from": "human", "value": a}, {"from": "gpt", "value": b}]} for a, b in PAIRS], [[("system", "Be brief.")] + turns(a, b) for a, b in PAIRS])
lines("openai-batch.jsonl", [{"custom_id": str(i), "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}} for i, (a, b) in enumerate(PAIRS)], [turns(a, b) for a, b in PAIRS])
lines("preference-turns.jsonl", [{"chosen": [{"role": "user", "content": a}, {"role": "assistant", "content": b}], "rejected": []} for a, b in PAIRS], [turns(a, b) for a, b in PAIRS])
lines("trl.jsonl", [{"prompt": [{"role": "user", "content": a}], "completion": [{"role": "assistant", "content": b}]} for a, b in PAIRS], [turns(a, b) for a, b in PAIRS])
lines("weights.jsonl", [{"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b, "weight": 1}, {"role": "user", "content": "again"}, {"role": "assistant", "content": "not this", "weight": 0}]} for a, b in PAIRS], [turns(a, b) for a, b in PAIRS])
with open(os.path.join(HERE, "want.json"), "w", encoding="utf-8") as f:
    json.dump(want, f, ensure_ascii=False, indent=0)
print(len(want), "files")
