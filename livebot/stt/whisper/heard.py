"""A piece of audio that Whisper has encoded: words and their times out of it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper.tokenizer import Tokenizer

from livebot.stt.model import HeardWord
from livebot.stt.whisper import guards, timing
from livebot.stt.whisper.faults import faults
from livebot.stt.whisper.words import UNSPACED, words

Floats = npt.NDArray[np.float32]

_CONTEXT = 448
"""Tokens that the decoder can have before it, prompt and all; half of them may be new."""

_TIMESTAMPS = 1501
"""Tokens that follow `<|notimestamps|>`."""

_SHORTEST_FRAMES = 20
"""So that the alignment's filter has something to work on."""


class Heard:
    """A piece of audio, ready to be written down.

    Args:
        model: Writes.
        tokenizer: Makes the prompt in the language, and words of tokens.
        encoded: The encoder's output, shape (1, 1500, width).
        loud: How loud each 10 ms of the audio are.
        is_english: Whether it writes English, whatever is spoken.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        encoded: Any,
        loud: Floats,
        *,
        is_english: bool,
    ) -> None:
        self._model = model
        self._is_english = is_english
        self._tokenizer = tokenizer
        self._encoded = encoded
        self._loud = loud

    @property
    def _seconds(self) -> float:
        return len(self._loud) * timing.FRAME_S

    def words(self, prefix: Sequence[HeardWord] = ()) -> list[HeardWord]:
        """Return the words that follow those of `prefix`, which are taken for granted."""
        known = [token for word in prefix for token in word.tokens]
        tokens = guards.without_loop(self._write(known))
        spaced = self._is_english or self._tokenizer.language_code not in UNSPACED
        split = self._tokenizer.split_tokens_on_spaces
        if not spaced:
            split = self._tokenizer.split_tokens_on_unicode
        pieces = zip(*split(tokens), strict=True)
        return list(guards.without_repetition(prefix, words(pieces, spaced=spaced)))

    def starts(
        self, prefix: Sequence[HeardWord], words: Sequence[HeardWord], *, after_s: float
    ) -> list[float]:
        """Return when each of `words`, which follow `prefix`, begins, in seconds.

        Args:
            prefix: The words before.
            words: The words to find.
            after_s: None of them begins before this.
        """
        if not words:
            return []
        asked = [token for word in words for token in word.tokens][: _CONTEXT // 2]
        room = _CONTEXT - len(asked) - len(self._prompt) - 1
        known = [token for word in prefix for token in word.tokens][-room:]
        frames = max(_SHORTEST_FRAMES, len(self._loud))
        with faults("the words cannot be aligned", retryable=True):
            (found,) = self._model.align(
                self._encoded, self._tokenizer.sot_sequence, [[*known, *asked]], frames
            )
        begun = timing.first_frames(found.alignments, len(known) + len(asked))[len(known) :]
        firsts = np.cumsum([0, *(len(word.tokens) for word in words[:-1])])
        return timing.starts(
            [begun[min(int(first), len(begun) - 1)] * timing.TOKEN_S for first in firsts],
            self._loud,
            after_s=after_s,
            until_s=self._seconds,
        )

    @property
    def _prompt(self) -> list[int]:
        return [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]

    @cached_property
    def _never(self) -> list[int]:
        """Return what is no text: signs of music and the like, and all that is special."""
        special = range(self._tokenizer.eot + 1, self._tokenizer.timestamp_begin + _TIMESTAMPS)
        return [*self._tokenizer.non_speech_tokens, *special]

    def _write(self, known: list[int]) -> list[int]:
        """Return the tokens that follow the known ones; none where nobody speaks."""
        most = min(_CONTEXT // 2, guards.most_tokens(self._seconds))
        if len(known) >= most:
            return []
        with faults("the audio cannot be written down", retryable=True):
            (found,) = self._model.generate(
                self._encoded,
                [[*self._prompt, *known]],
                beam_size=1,
                # Half of this, or what is left of it after the prompt, with the known ones.
                max_length=max(2 * most, most + len(self._prompt)),
                return_scores=True,
                return_no_speech_prob=True,
                # After known words there may be nothing more.
                suppress_blank=not known,
                suppress_tokens=self._never,
            )
        written: list[int] = found.sequences_ids[0]
        tokens = written[len(known) :]
        if not tokens:
            return []
        # The known ones count as certain; the end of the text is one more.
        log_odds = found.scores[0] * len(written) / (len(tokens) + 1)
        return [] if guards.is_silence(found.no_speech_prob, log_odds) else tokens
