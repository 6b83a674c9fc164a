"""Whisper, driven by CTranslate2: samples in, words out, greedy.

The encoder hears 30 s, whatever the length: silence fills what is missing, as in training.
The decoder writes token by token after a prompt that names language and task; tokens that
are known stand at the end of the prompt. Cross attention tells when it looked for each word.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.model import RATE_HZ, Detected, HeardWord, ModelSpec, SpeechModel
from livebot.stt.whisper import guards, languages, timing
from livebot.stt.whisper.device import AUTO, Machine, choose
from livebot.stt.whisper.words import UNSPACED, words

Floats = npt.NDArray[np.float32]

WINDOW_S = 30
"""What the encoder hears at a time."""

_FRAMES = 3000
"""Features of 10 ms each."""

_HOP = RATE_HZ // 100
_WINDOW = 400
"""Samples that a feature comes from."""

_RANGE = 2.0
"""The features' least value is so far below the greatest one: 80 dB."""
_SILENCE = -1.5
"""What they are where there is no sound at all."""

_CONTEXT = 448
"""Tokens that the decoder can have before it, prompt and all; half of them may be new."""

_TIMESTAMPS = 1501
"""Tokens that follow `<|notimestamps|>`."""

_SHORTEST_FRAMES = 20
"""So that the alignment's filter has something to work on."""


def load(spec: ModelSpec) -> SpeechModel:
    """Load a model.

    Raises:
        EngineError: The files, the device or the compute type do not work; the text says what
            to do.
    """
    found = _machine()
    device, compute_type = choose(found, spec.device, spec.compute_type)
    try:
        return _try(spec, device, compute_type)
    except EngineError as exc:
        if device == "cpu" or spec.device != AUTO:
            raise
        # A GPU without its libraries, or without room. To stderr: stdout may be the worker's.
        logging.getLogger(__name__).warning("%s; the CPU is used instead", exc)
    return _try(spec, "cpu", choose(found, "cpu", AUTO)[1])


def _machine() -> Machine:
    return Machine(ctranslate2.get_cuda_device_count, ctranslate2.get_supported_compute_types)


def _try(spec: ModelSpec, device: str, compute_type: str) -> "Whisper":
    """Load a model and let it hear something: missing libraries are noticed only then."""
    folder = Path(spec.folder)
    if not (folder / "tokenizer.json").is_file():
        # Otherwise the library would ask a hub for one.
        raise EngineError(f"no tokenizer.json in {folder}", retryable=False)
    with _faults(f"the model {spec.name} does not work on {device}"):
        loaded = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=spec.threads,
            num_workers=1,
            local_files_only=True,
        )
        model = Whisper(loaded)
        if device != "cpu":
            model.encode(np.zeros(RATE_HZ, np.float32))
        return model


@contextmanager
def _faults(what: str) -> Iterator[None]:
    try:
        yield
    except EngineError:
        raise
    except Exception as exc:  # tokenizers raises nothing more special
        raise EngineError(f"{what}: {_first_line(exc)}", retryable=False) from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]


class Whisper:
    """The model, of whichever size.

    Args:
        loaded: faster-whisper's; its tokenizer, features and weights are used, and none of its
            transcription, which is not made for speech that goes on.

    Raises:
        EngineError: Its files do not belong together.
    """

    def __init__(self, loaded: WhisperModel) -> None:
        self._loaded = loaded
        self._is_multilingual = bool(loaded.model.is_multilingual)
        self._tokenizers: dict[tuple[str, str], Tokenizer] = {}
        mels = len(loaded.feature_extractor.mel_filters)
        if mels != loaded.model.n_mels:
            raise EngineError(
                f"the features have {mels} bands and the model wants {loaded.model.n_mels}: is "
                "its preprocessor_config.json missing?",
                retryable=False,
            )

    @cached_property
    def languages(self) -> Mapping[str, str]:
        """Return what it understands."""
        if not self._is_multilingual:
            return {"en": languages.NAMES["en"]}
        known = self._loaded.hf_tokenizer.token_to_id
        return {
            code: name
            for code, name in languages.NAMES.items()
            if known(languages.token(code)) is not None
        }

    def detect(self, samples: Samples) -> Detected:
        """Say which language is spoken in the first 30 s."""
        if not self._is_multilingual:
            return Detected("en", 1.0)
        with _faults("the language cannot be detected"):
            (found,) = self._loaded.model.detect_language(self.encode(samples)[0])
        odds = {languages.of_token(token): probability for token, probability in found}
        return max(
            (Detected(code, odds.get(code, 0.0)) for code in self.languages),
            key=lambda detected: detected.probability,
        )

    @property
    def translates(self) -> bool:
        """Whether it can write English of other languages: all can that know any."""
        return self._is_multilingual

    def listen(self, samples: Samples, *, language: str, translate: bool = False) -> "Heard":
        """Encode a piece of audio at `RATE_HZ`, 25 s at most for good results."""
        with _faults("the audio cannot be encoded"):
            encoded, loud = self.encode(samples)
        return Heard(self._loaded.model, self._tokenizer(language, translate), encoded, loud)

    def encode(self, samples: Samples) -> tuple[Any, Floats]:
        """Return the encoder's output, and how loud each 10 ms of the audio are."""
        samples = samples[: WINDOW_S * RATE_HZ]
        # Zeros, so that the last windows end in silence, and not in the mirror.
        heard = self._loaded.feature_extractor(np.pad(samples, (0, 2 * _WINDOW)), padding=0)
        features = heard[:, :_FRAMES]
        silence = max(_SILENCE, float(features.max()) - _RANGE)
        missing = _FRAMES - features.shape[1]
        padded = np.pad(features, ((0, 0), (0, missing)), constant_values=silence)
        loud = timing.loudness(features[:, : max(1, len(samples) // _HOP)])
        return self._loaded.encode(padded), loud

    def _tokenizer(self, language: str, translate: bool) -> Tokenizer:  # noqa: FBT001
        task = "translate" if translate else "transcribe"
        if (language, task) not in self._tokenizers:
            self._tokenizers[language, task] = Tokenizer(
                self._loaded.hf_tokenizer,
                self._is_multilingual,
                task=task,
                language=languages.own(language),
            )
        return self._tokenizers[language, task]


class Heard:
    """A piece of audio, ready to be written down.

    Args:
        model: Writes.
        tokenizer: Makes the prompt in the language, and words of tokens.
        encoded: The encoder's output, shape (1, 1500, width).
        loud: How loud each 10 ms of the audio are.
    """

    def __init__(self, model: Any, tokenizer: Tokenizer, encoded: Any, loud: Floats) -> None:
        self._model = model
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
        pieces = zip(*self._tokenizer.split_to_word_tokens(tokens), strict=True)
        spaced = self._tokenizer.language_code not in UNSPACED
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
        with _faults("the words cannot be aligned"):
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
        with _faults("the audio cannot be written down"):
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
