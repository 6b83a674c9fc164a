"""What a decoder wrote though nobody said it (pure).

The thresholds are those of Whisper's own transcription.
"""

import zlib
from collections.abc import Sequence

from livebot.stt.local.tokens import loop_length
from livebot.stt.model import HeardWord

MOST_REPETITIVE = 2.4
"""Text that can be compressed more than this only repeats itself."""

SILENCE = 0.6
"""From this probability on there was no speech ..."""

UNSURE = -1.0
"""... unless the model is surer than this of its words: mean logarithm of their probability."""

TOKENS_PER_S = 25
"""Nobody speaks faster, not in scripts whose letters are tokens each."""
_SPARE_TOKENS = 16


def most_tokens(seconds: float) -> int:
    """Return how many tokens so much audio may have."""
    return int(seconds * TOKENS_PER_S) + _SPARE_TOKENS


def is_silence(no_speech: float, log_odds: float) -> bool:
    """Return whether what was written is better forgotten.

    Args:
        no_speech: The probability that nobody speaks.
        log_odds: The mean logarithm of the tokens' probability.
    """
    return no_speech > SILENCE and log_odds < UNSURE


def without_loop(tokens: Sequence[int]) -> list[int]:
    """Return the tokens up to where the decoder was caught in a loop."""
    out: list[int] = []
    for token in tokens:
        out.append(token)
        if (loop := loop_length(out)) > 0:
            return out[:-loop]
    return out


def without_repetition(
    prefix: Sequence[HeardWord], words: Sequence[HeardWord]
) -> Sequence[HeardWord]:
    """Return the words up to where, with those before them, they only repeat themselves."""
    said = [word.text for word in prefix]
    count = len(words)
    while count and repetitiveness([*said, *(word.text for word in words[:count])]) > (
        MOST_REPETITIVE
    ):
        count -= 1
    return words[:count]


def repetitiveness(said: Sequence[str]) -> float:
    """Return how many times shorter the text is once it is compressed."""
    data = " ".join(said).encode()
    return len(data) / len(zlib.compress(data))
