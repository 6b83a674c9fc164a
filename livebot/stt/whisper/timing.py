"""When words begin, from how the decoder looked at the audio (pure)."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

TOKEN_S = 0.02
"""What the alignment counts in."""

FRAME_S = 0.01
"""What the features count in."""

_QUIET = 0.25
"""What is nearer to silence than this share of the way to the loudest is a gap ..."""

_NEAR_S = 0.04
"""... and the gap before a word if the decoder looked for the word no earlier than this."""


def first_frames(path: Iterable[tuple[int, int]], tokens: int) -> list[int]:
    """Return the frame at which each token begins.

    Args:
        path: Pairs of a token's number and a frame, in order, as CTranslate2 aligns them.
        tokens: How many there are; those the path does not reach begin with its end.
    """
    found: dict[int, int] = {}
    last = 0
    for token, frame in path:
        found.setdefault(token, frame)
        last = frame
    return [found.get(token, last) for token in range(tokens)]


def loudness(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how loud each frame is, on the features' own scale, shape (mels, frames)."""
    loud: npt.NDArray[np.float32] = features.max(axis=0)
    return loud


def starts(
    begun_s: Sequence[float], loud: npt.NDArray[np.float32], *, after_s: float, until_s: float
) -> list[float]:
    """Return when words begin, given when the decoder first looked for them.

    It looks for a word as soon as the one before is over: the gap between them is no part
    of it.

    Args:
        begun_s: When it looked; never decreasing.
        loud: How loud each frame is.
        after_s: No word begins before this ...
        until_s: ... nor after this.
    """
    ends = [*begun_s[1:], until_s]
    moved = [_skip_gap(loud, s, e) for s, e in zip(begun_s, ends, strict=False)]
    return [min(max(after_s, start), max(after_s, until_s)) for start in moved]


def _skip_gap(loud: npt.NDArray[np.float32], start_s: float, end_s: float) -> float:
    """Return where it gets loud between start and end; the start where it does not."""
    if not loud.size:
        return start_s
    floor, top = np.quantile(loud, (0.05, 0.95))
    between = loud[round(start_s / FRAME_S) : round(end_s / FRAME_S)]
    is_loud = between > floor + _QUIET * (top - floor)
    near = is_loud[: round(_NEAR_S / FRAME_S)]
    # The first frames may still be the end of the word before.
    gap = int(near.argmin()) if near.size and not near.all() else 0
    heard = np.flatnonzero(is_loud[gap:])
    return start_s + (gap + int(heard[0])) * FRAME_S if heard.size else start_s
