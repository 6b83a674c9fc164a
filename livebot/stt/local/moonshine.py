"""Moonshine, driven by onnxruntime: samples in, tokens out, greedy.

The encoder reads the whole piece of audio and gives one frame per 24 ms. The decoder
writes token by token; it keeps two caches, one over the frames (filled by its first
step and the same ever after) and one over the tokens so far. Known tokens go in
together in one step, which is what makes a forced prefix cheap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.local import files, tokens
from livebot.stt.local.onnx import Session, open_session
from livebot.stt.local.timing import STEP_FRAMES, find_starts, spread
from livebot.stt.local.tokens import Vocabulary
from livebot.stt.model import RATE_HZ, Detected, HeardWord, ModelSpec

LANGUAGES = {"en": "English"}

FRAME_SAMPLES = 384

TOKENS_PER_S = 6.5
"""Nobody speaks faster; who does is the model, caught in a loop."""
_SPARE_TOKENS = 6
"""So that a short word with its punctuation fits under the guard too."""

_SHORTEST = RATE_HZ // 4
"""The encoder wants a few frames at least: shorter audio is filled up with silence."""

Floats = npt.NDArray[np.float32]
Cache = Mapping[str, Floats]


def load(spec: ModelSpec) -> "Moonshine":
    """Load the model of a folder, or the one that comes with its package.

    Raises:
        EngineError: The files are not there or do not work; the text says what to do.
    """
    return Moonshine(files.model_folder(spec.folder))


class Moonshine:
    """The model: tiny or base, as the files say.

    Args:
        folder: Holds the encoder, the decoder and the vocabulary.

    Raises:
        EngineError: The files do not work.
    """

    def __init__(self, folder: Path) -> None:
        self.vocabulary = Vocabulary((folder / files.TOKENIZER).read_bytes())
        self._encoder = open_session(folder / files.ENCODER)
        self._decoder = _Decoder(open_session(folder / files.DECODER))

    @property
    def languages(self) -> Mapping[str, str]:
        """Return what it understands: English."""
        return LANGUAGES

    def detect(self, samples: Samples) -> Detected:  # noqa: ARG002  # it knows no other
        """Say that English is spoken."""
        return Detected("en", 1.0)

    @property
    def translates(self) -> bool:
        """It does not."""
        return False

    def listen(
        self,
        samples: Samples,
        *,
        language: str = "en",  # noqa: ARG002  # it knows no other
        translate: bool = False,  # noqa: ARG002
    ) -> "Heard":
        """Encode a piece of audio at `RATE_HZ`, 25 s at most for good results."""
        if len(samples) < _SHORTEST:
            samples = np.pad(samples, (0, _SHORTEST - len(samples)))
        mask = np.ones((1, len(samples)), np.int64)
        inputs = {"input_values": samples[None], "attention_mask": mask}
        (frames,) = self._encoder.run(None, inputs)
        limit = int(TOKENS_PER_S * len(samples) / RATE_HZ) + _SPARE_TOKENS
        return Heard(self._decoder, self.vocabulary, frames, limit)


class Heard:
    """A piece of audio, ready to be written down.

    Args:
        decoder: Writes.
        vocabulary: Makes words of tokens.
        frames: The encoder's output, shape (1, frames, width).
        limit: As many tokens at most.
    """

    def __init__(
        self, decoder: "_Decoder", vocabulary: Vocabulary, frames: Floats, limit: int
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._frames = frames
        self._limit = limit
        self._first: tuple[list[int], _State] | None = None

    def _begin(self, fed: list[int]) -> "_State":
        """Return the state after `fed`, which is asked for again and again."""
        if self._first is None or self._first[0] != fed:
            self._first = fed, self._decoder.first(self._frames, fed)
        return self._first[1]

    def words(self, prefix: Sequence[HeardWord] = ()) -> list[HeardWord]:
        """Return the words that follow those of `prefix`, which are taken for granted."""
        known = [token for word in prefix for token in word.tokens]
        fed = [tokens.START, *known]
        out: list[int] = []
        state = self._begin(fed)
        while len(known) + len(out) < self._limit:
            token = int(state.logits[-1].argmax())
            if token == tokens.END:
                break
            out.append(token)
            if (loop := tokens.loop_length(out)) > 0:
                del out[-loop:]
                break
            state = self._decoder.step(self._frames, state, [token])
        return self._vocabulary.words(out)

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
        known = [tokens.START, *(token for word in prefix for token in word.tokens)]
        asked = [token for word in words for token in word.tokens]
        firsts = np.cumsum([0, *(len(word.tokens) for word in words[:-1])])
        total = self._frames.shape[1]
        # Each token predicts the next one, so the last known one is fed again.
        fed = [known[-1], *asked[:-1]]
        before = len(known) - 1
        whole = self._decoder.step(self._frames, self._begin(known).cut(total, before), fed)

        def odds(count: int, first: int, after: int) -> Floats:
            """Return how likely the first tokens of some words are, given `count` frames."""
            rows = firsts[first:after] - firsts[first]
            if count == total:
                logits = whole.logits[firsts[first:after]]
            else:
                # The words before them are taken for granted, as heard with all frames.
                begun = whole.cut(count, before + int(firsts[first]))
                few = fed[firsts[first] : firsts[after - 1] + 1]
                logits = self._decoder.step(self._frames[:, :count], begun, few).logits[rows]
            return _log_odds(logits, [asked[i] for i in firsts[first:after]])

        frame_s = FRAME_SAMPLES / RATE_HZ
        found = find_starts(odds, words=len(words), first=int(after_s / frame_s), total=total)
        return spread(
            [frame * frame_s for frame in found],
            [len(word.text) for word in words],
            after_s=after_s,
            step_s=STEP_FRAMES * frame_s,
        )


def _log_odds(logits: Floats, chosen: Sequence[int]) -> Floats:
    """Return the logarithm of the probability of one token per row."""
    top = logits.max(axis=1)
    scale = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    odds: Floats = logits[np.arange(len(chosen)), chosen] - scale
    return odds


@dataclass(frozen=True, slots=True)
class _State:
    """What the decoder answered: logits, shape (tokens fed, vocabulary), and its caches."""

    logits: Floats
    over_frames: Cache
    over_tokens: Cache

    def cut(self, frames: int, fed: int) -> "_State":
        """Return the state after the first `fed` tokens, hearing only `frames` from there."""
        return _State(
            self.logits,
            {name: cache[:, :, :frames] for name, cache in self.over_frames.items()},
            {name: cache[:, :, :fed] for name, cache in self.over_tokens.items()},
        )


class _Decoder:
    """The decoder's session and the names and shapes of its caches."""

    def __init__(self, session: Session) -> None:
        self._session = session
        caches = {n.name: n.shape for n in session.get_inputs() if n.name.startswith("past_")}
        if not caches:
            raise EngineError("the decoder has no caches: wrong model?", retryable=False)
        self._empty = {
            name: np.zeros((1, shape[1], 0, shape[3]), np.float32)
            for name, shape in caches.items()
        }
        self._names = [
            node.name.replace("present", "past_key_values") for node in session.get_outputs()[1:]
        ]

    def first(self, frames: Floats, fed: Sequence[int]) -> _State:
        """Begin to write: feed the start token and what is known."""
        logits, caches = self._run(frames, fed, self._empty, resumed=False)
        over_frames = {name: value for name, value in caches.items() if ".encoder." in name}
        over_tokens = {name: value for name, value in caches.items() if ".decoder." in name}
        return _State(logits, over_frames, over_tokens)

    def step(self, frames: Floats, state: _State, fed: Sequence[int]) -> _State:
        """Go on from `state` with more tokens."""
        past = {**state.over_frames, **state.over_tokens}
        logits, caches = self._run(frames, fed, past, resumed=True)
        # The cache over the frames does not change, and this branch does not return it.
        over_tokens = {name: value for name, value in caches.items() if ".decoder." in name}
        return _State(logits, state.over_frames, over_tokens)

    def _run(
        self, frames: Floats, fed: Sequence[int], past: Cache, *, resumed: bool
    ) -> tuple[Floats, dict[str, Any]]:
        inputs = {
            "input_ids": np.array([fed], np.int64),
            "encoder_hidden_states": frames,
            # It is the mask over the samples that the decoder thins out to frames.
            "encoder_attention_mask": np.ones((1, frames.shape[1] * FRAME_SAMPLES), np.int64),
            "use_cache_branch": np.array([resumed]),
            **past,
        }
        logits, *caches = self._session.run(None, inputs)
        return logits[0], dict(zip(self._names, caches, strict=True))
