"""Dictionary entries from WordNet: a word, its meaning, sentences that use it."""

import re
from pathlib import Path

PARTS = {"noun": "noun", "verb": "verb", "adj": "adjective", "adv": "adverb"}
# The lexicographer file whose nouns are kept without an example.
FOOD = "13"


def common_senses(index: Path) -> set:
    """Synset offsets that WordNet's authors met in running text."""
    seen = set()
    for line in index.read_text().splitlines():
        key, offset, _, count = line.split()
        if int(count) > 0:
            seen.add((key.split("%")[1][0], offset))
    return seen


def documents(folder: Path):
    """Yields (kind, unit, text): unit names the synset, so that a split keeps it whole."""
    dictionary = folder / "package" / "dict"
    common = common_senses(dictionary / "index.sense")
    for part, name in PARTS.items():
        for line in (dictionary / f"data.{part}").read_text().splitlines():
            if line.startswith(" "):
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            offset, lexfile = fields[0], fields[1]
            lemmas = [re.sub(r"\(.*\)", "", w).replace("_", " ") for w in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
            examples = re.findall(r'"([^"]+)"', gloss)
            meaning = re.split(r';\s*"', gloss)[0].strip(' ;:"')
            number = {"noun": "1", "verb": "2", "adj": "3", "adv": "4"}[part]
            known = (number, offset) in common or (part == "adj" and ("5", offset) in common)
            if not (examples or known or lexfile == FOOD):
                continue
            if any(c.isupper() or c.isdigit() for c in lemmas[0]) or not 3 <= len(meaning.split()) <= 24:
                continue
            text = f"{', '.join(lemmas[:3])} ({name}): {meaning}."
            sentences = [e.strip() for e in examples if len(e.split()) >= 3][:3]
            text += "".join("\n" + e[0].upper() + e[1:] + ("" if e[-1] in ".!?" else ".") for e in sentences)
            yield part, f"{part} {offset}", text
