"""Text within XML, and no more of it than there is room for (pure)."""

import html
import re
from collections.abc import Iterable

from livebot.transcripts.pieces import clean

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def cut(text: str, most: int) -> str:
    """Return a text for XML in at most so many bytes, with three dots where that is not all."""
    text = clean(text)
    whole = escaped(text[:most])
    if len(text) <= most and len(whole.encode()) <= most:
        return whole
    parts, size = [], len("…".encode())
    for mark in text:
        part = _escaped(mark)
        size += len(part.encode())
        if size > most:
            break
        parts.append(part)
    return "".join(parts).rstrip() + "…"


def escaped(text: str) -> str:
    """Return a text as it is written in XML: on one line, without what may not be in it."""
    return _escaped(clean(text))


def _escaped(text: str) -> str:
    return html.escape(_NOT_XML.sub("", text), quote=False)


def share(sizes: Iterable[int], most: int) -> int:
    """Return how many bytes each of several texts may have, so that all together fit."""
    ordered = sorted(sizes)
    left = most
    for number, size in enumerate(ordered):
        rest = len(ordered) - number
        if size * rest > left:
            return left // rest
        left -= size
    return most
