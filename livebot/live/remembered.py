"""A session as it is remembered, and what follows for its next process (pure)."""

from collections.abc import Sequence
from typing import Final as Constant

import msgspec

from livebot.errors import RequestError
from livebot.feeds.events import Final, Gap, Interim, Numbered
from livebot.live.options import LiveOptions
from livebot.stt.continuation import MOST_TOLD, Told
from livebot.stt.engine import Word
from livebot.stt.replay import LAG_S, MARGIN_S

NEVER_CAME: Constant = frozenset({"client", "connection", "restart"})
"""Causes of gaps that nobody can fill any more."""


def pack(options: LiveOptions) -> str:
    """Return options as they are remembered."""
    return msgspec.json.encode(options).decode()


def unpack(text: str) -> LiveOptions:
    """Read options that were remembered.

    Raises:
        RequestError: Another version wrote them.
    """
    try:
        options = msgspec.json.decode(text, type=LiveOptions)
    except msgspec.DecodeError:
        raise RequestError("this session is of another version: open another one") from None
    options.check()
    return options


class Left(msgspec.Struct, frozen=True):
    """Where a session was left.

    Attributes:
        position: Up to where all words were told, with what the next engine has to hear again.
        told: The last words told: some of them will come again.
        interims: Utterances that nobody goes on with.
        gaps: Gaps that were going on.
    """

    position: float
    told: tuple[Told, ...]
    interims: tuple[Interim, ...]
    gaps: tuple[Gap, ...]


def left(events: Sequence[Numbered]) -> Left:
    """Return where a session was left, by its newest events."""
    position = 0.0
    told: list[Told] = []
    interims: dict[str, Interim] = {}
    gaps: dict[str, Gap] = {}
    for numbered in events:
        match numbered.event:
            case Final(words=words) as final if words:
                interims.pop(final.utterance, None)
                margin = LAG_S if words[-1].end is None else MARGIN_S
                position = max(position, final.end - margin)
                told += (
                    Told(
                        Word(word.text, word.start, word.end, word.joined),
                        final.end if word.end is None else word.end,
                    )
                    for word in words
                )
                del told[:-MOST_TOLD]
            case Interim() as interim:
                interims[interim.utterance] = interim
            case Gap() as gap:
                gaps[gap.gap] = gap
                if gap.cause in NEVER_CAME and gap.end is not None:
                    position = max(position, gap.end)
            case _:
                pass
    return Left(
        position,
        tuple(told),
        tuple(interim for interim in interims.values() if interim.text),
        tuple(gap for gap in gaps.values() if gap.end is None),
    )
