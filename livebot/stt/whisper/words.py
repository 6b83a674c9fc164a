"""Words out of the pieces that a tokenizer makes (pure)."""

from collections.abc import Iterable, Sequence

from livebot.stt.model import HeardWord

_BROKEN = "\N{REPLACEMENT CHARACTER}"
"""Where bytes make no letter."""

UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages that put no spaces between words: each letter is taken for one."""


def words(pieces: Iterable[tuple[str, Sequence[int]]], *, spaced: bool = True) -> list[HeardWord]:
    """Group pieces into words.

    Args:
        pieces: Texts, with the space before them, and their tokens.
        spaced: Whether a word begins only where there is a space, as in most languages.
    """
    groups: list[tuple[str, list[int]]] = []
    for text, tokens in pieces:
        goes_on = bool(groups) and (not _text(groups[-1][0]) or _continues(text, spaced=spaced))
        if goes_on:
            before, group = groups[-1]
            groups[-1] = before + text, [*group, *tokens]
        else:
            groups.append((text, list(tokens)))
    return [
        HeardWord(_text(text), tuple(tokens), joined=not text.startswith(" "))
        for text, tokens in groups
        if _text(text)
    ]


def _continues(text: str, *, spaced: bool) -> bool:
    if text.startswith(" "):
        return False
    return spaced or not any(c.isalnum() for c in text)


def _text(text: str) -> str:
    return text.replace(_BROKEN, "").strip()
