"""Small talk: two people write to each other about a question."""

import json
import re
from pathlib import Path

# What people leave out when they type fast; a small model learns the regular form.
SPELLING = {
    "im": "I'm", "i": "I", "ive": "I've", "id": "I'd", "dont": "don't", "cant": "can't", "didnt": "didn't",
    "thats": "that's", "whats": "what's", "doesnt": "doesn't", "isnt": "isn't", "wasnt": "wasn't",
    "youre": "you're", "wouldnt": "wouldn't", "couldnt": "couldn't", "havent": "haven't", "hasnt": "hasn't",
    "theyre": "they're", "shouldnt": "shouldn't", "wont": "won't", "theres": "there's", "u": "you", "ur": "your",
    "r": "are", "gonna": "going to", "wanna": "want to", "cuz": "because", "idk": "I don't know", "ya": "yeah",
    "byu": "BYU", "utah": "Utah", "english": "English", "america": "America",
}
# Conversations with a word of this list, an address, a handle or a long number stay out.
UNFIT = re.compile(
    r"\b(f+u+c+k\w*|shit\w*|bitch\w*|ass(hole)?|damn\w*|dick|porn\w*|sex\w*|nude\w*|rape\w*|whore\w*|slut\w*|"
    r"nigg\w*|fag\w*|retard\w*|kill (you|my)\w*|suicid\w*|nazi\w*|hitler)\b|\d{5,}|@|https?:|www\.|\.com\b",
    re.I,
)
QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "…": ".", "–": "-", "—": "-"})


def sentence(message: str) -> str:
    """Tidies one message: ASCII, known spellings, a capital and a full stop."""
    text = message.translate(QUOTES).encode("ascii", "ignore").decode()
    text = re.sub(r"[:;=]['-]?[)(DPpO/|\\]+|<3|\^\^|\*+|_+", " ", text)
    text = re.sub(r"([!?.,])\1+", r"\1", re.sub(r"(\w)\1{3,}", r"\1", text))
    text = re.sub(r"\b(ha|he|lo){2,}l?h?\b", "haha", text, flags=re.I)
    text = re.sub(r"\s+", " ", text).strip(" -")
    text = re.sub(r"\s+([.,!?])", r"\1", text)
    text = re.sub(r"[A-Za-z']+", lambda m: SPELLING.get(m[0].lower(), m[0]) if m[0].lower() != "id" else m[0], text)
    text = re.sub(r"\bi('\w+)\b", r"I\1", text)
    text = re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)
    if text and text[-1].isalnum():
        question = re.match(r"(what|who|where|when|why|how|do|does|did|are|is|have|would|can|could|which)\b", text, re.I)
        text += "?" if question else "."
    return text


def documents(folder: Path):
    """Yields (kind, unit, text): unit is the conversation; each text has 3 to 8 turns."""
    talks = json.loads((folder / "chitchat_dataset" / "dataset.json").read_text())
    for name, talk in talks.items():
        turns = [" ".join(filter(None, (sentence(m["text"]) for m in turn))) for turn in talk["messages"]]
        turns = [t for t in turns if re.search("[a-z]", t)]
        if len(turns) < 3 or UNFIT.search(" ".join(turns)) or len(" ".join(turns).split()) < 4 * len(turns):
            continue
        start = 0
        while len(turns) - start >= 3:
            end, words = start, 0
            while end < len(turns) and end - start < 8 and words + len(turns[end].split()) <= 110:
                words += len(turns[end].split())
                end += 1
            lines = [f"{'AB'[i % 2]}: {t}" for i, t in enumerate(turns[start:end])]
            if start == 0 and talk.get("prompt"):
                lines.insert(0, f"Topic: {talk['prompt'].strip()}")
            if end - start >= 3:
                yield "", name, "\n".join(lines)
            start = max(end, start + 1)
