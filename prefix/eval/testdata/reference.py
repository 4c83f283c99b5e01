"""Writes reference.json: what the usual Python tools say on small texts.

    python reference.py > reference.json

Made with sacrebleu 2.6.0, rouge-score 0.1.2, seqeval 1.2.2, scikit-learn 1.9.1 and
Python 3; seed 7.
"""
import json
import math
import random

import numpy
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from seqeval.metrics import f1_score, precision_score, recall_score
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score as label_f1

rng = random.Random(7)

ENGLISH = [
    "The Wrestlers is a kid friendly restaurant by the river.",
    "It's rated 3 out of 5 -- not bad, for $12.50!",
    "Mr. O'Neil (aged 1,024) said: \"A/B-testing isn't 100% safe\".",
    "See pages 10-12, or e.g. the U.S.A. site; cost: 1.5e3.",
    "He said &quot;x &lt; y &amp;amp; z&quot; <skipped> and left-\nright.",
    "Café  crème\tcosts 5€… “quoted” — dash.",
]
CHINESE = [
    "我爱北京天安门,天安门上太阳升。",
    "他在2024年买了3.5公斤的苹果(每公斤¥12)。",
    "Go语言很快——真的很快!“引用”…",
    "㐀㐁 カタカナ ﾊﾝｶｸ ① ☀ 𠀀𠀁 →",
]
CHARS = list("aZ09.,-'\"&;:!?()[]{}<>/@#$%^*_+=|\\~` \t\n") + [
    "\u00a0", "\u2009", "\u2014", "\u2026", "\u201c", "\u3000", "\uff0c", "\u4e2d", "\u6587", "\u00e9", "\U00020000",
    "\x1c", "\x85", "\u2028", "\u2a6d", "\u2a6e", "\u2f90", "&amp;", "&lt;", "-\n", "<skipped>",
]


def noise():
    return "".join(rng.choice(CHARS) for _ in range(rng.randint(0, 40)))


def worse(text, chars=False):
    """A hypothesis: the text with parts dropped, repeated and swapped."""
    parts = list(text) if chars else text.split(" ")
    out = []
    for p in parts:
        r = rng.random()
        if r < 0.12:
            continue
        out.append(p)
        if r > 0.93:
            out.append(rng.choice(parts))
    if len(out) > 3 and rng.random() < 0.5:
        i = rng.randrange(len(out) - 1)
        out[i], out[i + 1] = out[i + 1], out[i]
    return ("" if chars else " ").join(out)


def corpora():
    yield "english", "13a", [worse(t) for t in ENGLISH], [[t] for t in ENGLISH]
    yield "two references", "13a", [worse(t) for t in ENGLISH], [[t, worse(t)] for t in ENGLISH]
    yield "uneven references", "13a", [worse(t) for t in ENGLISH], [[t] + [worse(t)] * (i % 3) for i, t in enumerate(ENGLISH)]
    yield "chinese", "zh", [worse(t, True) for t in CHINESE], [[t] for t in CHINESE]
    yield "perfect", "13a", list(ENGLISH), [[t] for t in ENGLISH]
    yield "nothing in common", "13a", ["alpha beta gamma delta"], [["one two three four five"]]
    yield "one word in common", "13a", ["the alpha beta gamma delta"], [["the one two three four five"]]
    yield "short hypothesis", "13a", ["the cat"], [["the cat sat on the mat"]]
    yield "three words", "13a", ["the cat sat"], [["the cat sat on the mat"]]
    yield "long hypothesis", "13a", ["the cat sat on the mat and the dog sat on the log"], [["the cat sat on the mat"]]
    yield "empty hypothesis", "13a", ["", "the cat sat on the mat"], [["a dog"], ["the cat sat on a mat"]]
    yield "empty reference", "13a", ["a dog", "the cat sat on the mat"], [[""], ["the cat sat on a mat"]]
    yield "all empty", "13a", [""], [[""]]
    yield "tie of lengths", "13a", ["a b c d e"], [["a b c d e f", "a b c d"]]
    yield "repeated words", "13a", ["the the the the the the the"], [["the cat is on the mat", "there is a cat on the mat"]]
    yield "equally bad references", "13a", ["abc", "the cat sat"], [["xyz", "pqrstuvw"], ["the cat sat down"]]
    for k in range(6):
        refs = [[noise() for _ in range(1 + k % 3)] for _ in range(4)]
        yield f"noise {k}", ["13a", "zh"][k % 2], [worse(rng.choice(r), True) for r in refs], refs


def columns(refs):
    """sacrebleu wants reference documents; None stands for a reference too few."""
    most = max(len(r) for r in refs)
    return [[r[k] if k < len(r) else None for r in refs] for k in range(most)]


def text_case(name, tokenize, hyps, refs):
    b = BLEU(tokenize=tokenize).corpus_score(hyps, columns(refs))
    c = CHRF().corpus_score(hyps, columns(refs))
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    rouge = [scorer.score_multi(r, h) for h, r in zip(hyps, refs)]
    mean = lambda key: sum(r[key].fmeasure for r in rouge) / len(rouge)
    return {
        "name": name, "tokenize": tokenize, "hypotheses": hyps, "references": refs,
        "bleu": b.score, "precisions": list(b.precisions), "bp": b.bp, "hypLen": b.sys_len, "refLen": b.ref_len,
        "chrf": c.score, "rouge": [mean("rouge1"), mean("rouge2"), mean("rougeL")],
        "ascii": all(t.isascii() for t in hyps + sum(refs, [])),
    }


def tag_case(kind):
    def tags():
        out, n = [], rng.randint(1, 12)
        for _ in range(n):
            out.append(rng.choice(["O", "O"] + [f"{m}-{t}" for m in kind for t in ("PER", "LOC")]))
        return out

    gold = [tags() for _ in range(30)]
    pred = [[t if rng.random() < 0.8 else rng.choice(g) for t in g] for g in gold]
    return {"kind": kind, "gold": gold, "predicted": pred, "precision": float(precision_score(gold, pred)),
            "recall": float(recall_score(gold, pred)), "f1": float(f1_score(gold, pred)),
            "byType": {t: float(v) for t, v in zip(["LOC", "PER"], f1_score(gold, pred, average=None))}}


def label_case(names):
    gold = [rng.choice(names[:-1]) for _ in range(50)]
    pred = [g if rng.random() < 0.6 else rng.choice(names) for g in gold]
    return {"gold": gold, "predicted": pred, "accuracy": float(accuracy_score(gold, pred)),
            "macroF1": float(label_f1(gold, pred, average="macro"))}


def ranking_case(names, rows, sharp):
    """Log-probabilities of labels, and how well their softmax is calibrated."""
    gold = [rng.choice(names) for _ in range(rows)]
    logs = [[sharp * rng.gauss(1.0 if n == g else 0.0, 1) - 3 for n in names] for g in gold]
    picked = [names[max(range(len(names)), key=lambda i: l[i])] for l in logs]
    sure = [1 / sum(math.exp(x - max(l)) for x in l) for l in logs]
    right = [int(g == p) for g, p in zip(gold, picked)]
    # calibration_curve leaves empty bins out; its bins are those of numpy.searchsorted here
    share, mean = calibration_curve(right, sure, n_bins=10, strategy="uniform")
    counts = numpy.bincount(numpy.searchsorted(numpy.linspace(0, 1, 11)[1:-1], sure), minlength=10)
    full = counts[counts > 0]
    seen = sorted(set(gold) | set(picked))
    return {"names": names, "gold": gold, "logs": logs, "accuracy": float(accuracy_score(gold, picked)),
            "macroF1": float(label_f1(gold, picked, average="macro")), "seen": seen,
            "confusion": confusion_matrix(gold, picked, labels=seen).tolist(), "counts": counts.tolist(),
            "share": share.tolist(), "mean": mean.tolist(),
            "ece": float((full * abs(share - mean)).sum() / rows)}


lines = ENGLISH + CHINESE + [noise() for _ in range(60)] + [" .5, .5 "]
pre = {t: BLEU(tokenize=t)._preprocess_segment for t in ("13a", "zh")}
print(json.dumps({
    "tokens": [{"line": l, "13a": pre["13a"](l).split(), "zh": pre["zh"](l).split()} for l in lines],
    "texts": [text_case(*c) for c in corpora()],
    "tags": [tag_case("BI"), tag_case("BIES")],
    "labels": [label_case(["neg", "neu", "pos", "never true"]), label_case(["a", "b", "c"])],
    "rankings": [ranking_case(["neg", "neu", "pos"], 60, 1.0), ranking_case([f"intent {i}" for i in range(10)], 40, 3.0),
                 ranking_case(["no", "yes"], 1, 1.0)],
}, ensure_ascii=True, indent=0))
