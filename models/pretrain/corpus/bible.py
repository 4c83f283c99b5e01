"""Narrative from the World English Bible: short plain sentences, much dialogue."""

import html
import re
import struct
import zlib
from pathlib import Path

BOOKS = """Gen Exod Josh Judg Ruth 1Sam 2Sam 1Kgs 2Kgs Esth Jonah Dan Tob Jdt
Matt Mark Luke John Acts""".split()


def blocks(texts: Path, testament: str):
    """Yields each book's OSIS text. A SWORD zText module keeps one zlib block a
    book in .bzz, and (offset, packed size, size) of each in .bzs, little-endian."""
    index = (texts / f"{testament}.bzs").read_bytes()
    packed = (texts / f"{testament}.bzz").read_bytes()
    for offset, size, _ in struct.iter_unpack("<III", index):
        yield zlib.decompress(packed[offset : offset + size]).decode("utf-8", "replace")


def plain(osis: str) -> str:
    osis = re.sub(r"<note .*?</note>|<title .*?</title>", "", osis, flags=re.S)
    text = html.unescape(re.sub(r"<[^>]+>", "", osis))
    for curly, straight in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"), ("—", " - ")):
        text = text.replace(curly, straight)
    return re.sub(r"\s+", " ", text).strip()


def documents(folder: Path):
    """Yields (kind, unit, text): unit is the chapter, a text two or three paragraphs."""
    texts = folder / "usr/share/sword/modules/texts/ztext/engWEB2015eb"
    for testament in ("ot", "nt"):
        for osis in blocks(texts, testament):
            book = re.search(r'osisID="(\w+)"', osis)
            if not book or book[1] not in BOOKS:
                continue
            chapters = re.split(rf'<chapter [^>]*sID="{book[1]}\.(\d+)"/>', osis)
            for number, chapter in zip(chapters[1::2], chapters[2::2]):
                passage = ""
                for paragraph in map(plain, re.split(r'<div [^>]*type="x-p"/>', chapter)):
                    passage = f"{passage} {paragraph}".strip()
                    if len(passage.split()) >= 60:
                        yield "", f"{book[1]} {number}", passage
                        passage = ""
                if len(passage.split()) >= 12:
                    yield "", f"{book[1]} {number}", passage
