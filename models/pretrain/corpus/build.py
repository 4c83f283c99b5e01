"""Builds the pretraining corpus: train.txt and heldout.txt.

    python3 models/pretrain/corpus/build.py -out build/corpus

Texts are separated by <|endoftext|>, which stands after each of them. Texts of one
kind (tables in one notation, small talk, definitions) stand in runs of up to six, so
that a model learns to go by the examples before it, which is what a prefix is. The
packages are pinned in sources.py. Everything is seeded: the same packages give the
same bytes.

Held out are 2 % of the units (a conversation, a dictionary entry, a chapter, an
unfilled sentence), chosen by the hash of their name: a unit lies wholly on one side.
A text that equals an earlier one but for case, digits and punctuation is dropped,
and so is a training text that has a held-out sentence template in it.
"""

import argparse
import hashlib
import random
import re
from collections import defaultdict
from pathlib import Path

import bible
import chat
import sources
import travel
import words

END = "<|endoftext|>"
PARTS = [("travel", sources.TRAVEL, travel), ("chat", sources.CHAT, chat),
         ("words", sources.WORDS, words), ("bible", sources.BIBLE, bible)]


def held_out(unit: str) -> bool:
    return int.from_bytes(hashlib.sha256(unit.encode()).digest()[:4], "big") % 50 == 0


def runs(kinds: dict, rng: random.Random) -> list:
    """Returns the texts of all kinds, shuffled, those of one kind in runs of up to six."""
    cut = []
    for texts in kinds.values():
        rng.shuffle(texts)
        while texts:
            n = rng.randrange(1, 7)
            cut.append(texts[:n])
            del texts[:n]
    rng.shuffle(cut)
    return [t for run in cut for t in run]


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-out", type=Path, required=True, help="folder for train.txt and heldout.txt")
    args.add_argument("-cache", type=Path, help="folder for the packages (default: OUT/packages)")
    opt = args.parse_args()
    cache = opt.cache or opt.out / "packages"
    cache.mkdir(parents=True, exist_ok=True)

    seen, split = set(), {False: defaultdict(list), True: defaultdict(list)}
    for name, package, source in PARTS:
        kept = dropped = size = 0
        for kind, unit, text in source.documents(sources.fetch(package, cache)):
            sides = {held_out(u) for u in unit.split("\n")}
            key = re.sub(r"[\W\d_]+", " ", text).lower().strip()
            if key in seen or len(sides) > 1 or not text.isascii() or END in text:
                dropped += 1
                continue
            seen.add(key)
            split[sides.pop()][name, kind].append(text)
            kept, size = kept + 1, size + len(text)
        print(f"{name:8} {package.name} {package.version}: {kept} texts, {size:,} bytes, {dropped} dropped")
    for held, kinds in split.items():
        texts = runs(kinds, random.Random(2))
        path = opt.out / ("heldout.txt" if held else "train.txt")
        path.write_text("".join(t + END for t in texts))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.name}: {len(texts)} texts, {path.stat().st_size:,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
