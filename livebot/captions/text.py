"""Where spaces belong and where a sentence ends."""
# ruff: noqa: RUF001  (this file is about marks that look like others)

import re
import unicodedata
from collections.abc import Iterable

from livebot.stt.engine import Word

_SPACELESS_LANGUAGES = frozenset({"zh", "cmn", "yue", "wuu", "ja", "th", "lo", "km", "my"})

_SPACELESS_SCRIPTS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x312F),  # CJK radicals and punctuation, Hiragana, Katakana, Bopomofo
    (0x3190, 0x9FFF),  # CJK ideographs
    (0xA9E0, 0xA9FF),  # Myanmar, extended
    (0xAA60, 0xAA7F),  # Myanmar, extended
    (0xF900, 0xFAFF),  # CJK compatibility
    (0xFF01, 0xFF9F),  # full-width forms, half-width Katakana
    (0x1B000, 0x1B16F),  # Kana, extended
    (0x20000, 0x3FFFF),  # CJK ideographs, extended
)

_CLINGING = frozenset(".,;:!?…%‰°'’”»›)]}،؛؟۔।॥։።፣၊။។៕‼⁇⁈⁉")
"""Marks that follow a word without a space."""

_STOPS = frozenset(".,;:!?…")
"""Those of them that say nothing once the word before has been sent, unlike `%`."""

_OPENING = frozenset("([{«‹“‘¿¡")
"""Marks that precede a word without a space."""

_ENDS = frozenset(".!?。！？．｡؟۔।॥։።။។៕‼⁇⁈⁉")

_CLOSERS = "\"'’”»›)]}」』】）〉》"

# fmt: off
_ABBREVIATIONS = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "approx", "dept", "fig", "vol",
    "hr", "nr", "bzw", "ca", "evtl", "ggf", "inkl", "vgl",
    "mme", "mlle", "sra", "srta", "dra",
})
# fmt: on

_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
"""`e.g.`, `U.S.`, `z.B.`, `J.`"""

_ORDINAL = re.compile(r"\d{1,2}\.")
"""`3.`, which may be the third or the beginning of `3.5`."""


def has_spaces(language: str) -> bool:
    """Return whether the language puts spaces between words; `zh-CN` counts as `zh`."""
    return re.split(r"[-_]", language.lower(), maxsplit=1)[0] not in _SPACELESS_LANGUAGES


def is_punctuation(text: str) -> bool:
    """Return whether `text` is nothing but marks that cling to the word before."""
    return all(_is_clinging(mark) for mark in text)


def is_stop(text: str) -> bool:
    """Return whether `text` is nothing but full stops, commas and their like."""
    return all(mark in _STOPS for mark in text)


def gap(left: str, right: str, language: str) -> str:
    """Return what belongs between two pieces of text: a space or nothing."""
    if not left or not right or left[-1] in _OPENING or _begins_clinging(right):
        return ""
    return "" if is_spaceless(left, right, language) else " "


def is_spaceless(left: str, right: str, language: str) -> bool:
    """Return whether the writing has no space between two words.

    The characters at the seam decide, so that a name in Latin letters keeps its spaces in a
    Japanese text; the language does where only one side is written without.
    """
    before, after = _is_spaceless(left[-1]), _is_spaceless(right[0])
    return (before and after) or ((before or after) and not has_spaces(language))


def join(words: Iterable[Word], language: str) -> str:
    """Return the words as running text."""
    text = ""
    for word in words:
        text += ("" if word.joined else gap(text, word.text, language)) + word.text
    return text


def is_sentence_end(text: str) -> bool:
    """Return whether a sentence ends with `text`; when in doubt it does not.

    Doubtful are numbers (`3.` may become `3.5`), abbreviations and ellipses.
    """
    core = text.rstrip(_CLOSERS)
    if not core or core[-1] not in _ENDS:
        return False
    if core[-1] != ".":
        return True
    word = core.split()[-1].lstrip("([{«‹“‘\"'")
    return not (
        word.endswith("..")
        or _INITIALS.fullmatch(word)
        or _ORDINAL.fullmatch(word)
        or word[:-1].lower() in _ABBREVIATIONS
    )


def head_length(text: str, limit: int) -> int:
    """Return where to cut a text, at most at `limit`: at a space or between characters.

    A letter is not parted from its vowel signs and accents, nor an emoji from its parts.
    """
    space = text.rfind(" ", 0, limit + 1)
    if space > 0:
        return space
    for at in range(min(limit, len(text)), 0, -1):
        if at == len(text) or not (_is_mark(text[at]) or text[at - 1] == "\u200d"):
            return at
    return min(limit, len(text))


def newest(text: str, limit: int) -> str:
    """Return the end of `text`, from a word on, in at most `limit` characters."""
    if len(text) <= limit:
        return text
    tail = text[-limit:]
    if not text[-limit - 1].isspace() and " " in tail:
        tail = tail.split(" ", 1)[1]
    return tail.strip()


def _begins_clinging(text: str) -> bool:
    """Return whether `text` begins with marks that stand alone, unlike those of `.NET`."""
    for at, mark in enumerate(text):
        if not _is_clinging(mark):
            return at > 0 and (mark.isspace() or _is_spaceless(mark))
    return True


def _is_clinging(mark: str) -> bool:
    return mark in _CLINGING or (
        _is_spaceless(mark) and unicodedata.category(mark) in {"Po", "Pe", "Pf"}
    )


def _is_spaceless(mark: str) -> bool:
    code = ord(mark)
    return any(first <= code <= last for first, last in _SPACELESS_SCRIPTS)


def _is_mark(mark: str) -> bool:
    return mark == "\u200d" or unicodedata.category(mark).startswith("M")
