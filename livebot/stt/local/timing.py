"""When words begin, found by asking how much audio the model needs to hear them (pure).

A word's probability rises when the audio reaches its start. So the decoder is asked
again with less and less audio, and each word begins where its probability passes half
of what it is with all of it. One question answers for several words at once; the search is
a bisection per word that shares the answers, so that most questions are about a few words.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

STEP_FRAMES = 4
"""Precision of the search: 96 ms, about the method's own error."""

LETTER_S = 0.07
"""What a letter takes to say, roughly."""

_HALF = float(np.log(2))

Odds = Callable[[int, int, int], npt.NDArray[np.float32]]
"""Number of frames heard, and the words asked for, from the first up to but not including the
last, to the log probability of each of them. What it costs grows with the words."""


def find_starts(odds: Odds, *, words: int, first: int, total: int) -> list[int]:
    """Return the frame at which each word begins; never earlier than the word before it.

    Args:
        odds: Asks the model.
        words: How many there are.
        first: No word begins before this frame.
        total: Frames there are.
    """
    goal = odds(total, 0, words) - _HALF
    first = max(1, min(first, total - 1))
    low = np.full(words, first)  # not yet heard with so many frames
    high = np.full(words, total)  # heard
    for word in range(words):
        low[word] = max(low[word], low[max(0, word - 1)])
        while high[word] - low[word] > STEP_FRAMES:
            middle = int(low[word] + high[word]) // 2
            # Words are spoken in order, so this answers for those after it, too, as far as
            # they may begin on either side.
            open_ = np.flatnonzero((low[word:] < middle) & (middle < high[word:]))
            after = word + int(open_[-1]) + 1
            heard = odds(middle, word, after) >= goal[word:after]
            high[word:after] = np.where(
                heard, np.minimum(high[word:after], middle), high[word:after]
            )
            low[word:after] = np.where(
                ~heard, np.maximum(low[word:after], middle), low[word:after]
            )
            low = np.minimum(low, high)
    return [int(frame) for frame in np.maximum.accumulate((low + high) // 2)]


def spread(
    starts: Sequence[float], letters: Sequence[int], *, after_s: float, step_s: float
) -> list[float]:
    """Move words that need no audio to where they must have been spoken.

    What the model can guess ("it was the ...") it knows before it is heard, so such words
    are found where the search begins. They lie right before the next word that was heard.

    Args:
        starts: What was found, in seconds.
        letters: The length of each word.
        after_s: Where the search began.
        step_s: The precision of the search.
    """
    out = list(starts)
    for i in reversed(range(len(out) - 1)):
        before = starts[i - 1] if i else after_s
        if starts[i] - before <= step_s:
            out[i] = max(out[i], out[i + 1] - letters[i] * LETTER_S)
    return out
