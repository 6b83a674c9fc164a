"""A recording as overlapping windows of ten seconds (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livebot.audio.pcm import Samples, silence

RATE_HZ = 16_000

WINDOW_S = 10.0
WINDOW = 160_000
"""Samples that the segmentation hears at once."""

HOP_S = 2.5
HOP = 40_000
"""Samples from the beginning of a window to the next. Twice as much saves a tenth of the
time and gives three times as much speech to the wrong person."""

FRAME_S = 0.016875
"""From one answer of the segmentation to the next."""

FRAMES = 589
"""Answers for a window."""

CENTRE_S = 0.031
"""From the beginning of what an answer is about to its middle."""

SEATS = 3
"""As many people it tells apart within a window."""

Activity = NDArray[np.bool_]
"""Who speaks, shape (`FRAMES`, `SEATS`). Which seat is whose differs between windows."""

_EDGE_S = (WINDOW_S - HOP_S) / 2


@dataclass(frozen=True, slots=True)
class Window:
    """Ten seconds of a recording.

    Attributes:
        at_s: Where it begins, in seconds.
        samples: `WINDOW` of them; silence after the recording's end.
        from_s: The part that counts begins here, in seconds from its beginning. The parts
            of all windows follow each other without gaps.
        to_s: The part that counts ends here.
    """

    at_s: float
    samples: Samples
    from_s: float
    to_s: float


def windows(blocks: Iterable[Samples]) -> Iterator[Window]:
    """Cut a recording into windows; holds no more than one and a block.

    Args:
        blocks: Mono at `RATE_HZ`, of any length.
    """
    held, number = silence(0), 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > WINDOW:
            from_s = _EDGE_S if number else 0.0
            yield Window(number * HOP_S, held[:WINDOW], from_s, _EDGE_S + HOP_S)
            held, number = held[HOP:], number + 1
    if held.size:
        samples = np.concatenate([held, silence(WINDOW - len(held))])
        from_s = _EDGE_S if number else 0.0
        yield Window(number * HOP_S, samples, from_s, len(held) / RATE_HZ)
