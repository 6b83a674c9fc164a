"""Whisper, driven by CTranslate2: samples in, words out, greedy.

The encoder hears 30 s, whatever the length: silence fills what is missing, as in training.
The decoder writes token by token after a prompt that names language and task; tokens that
are known stand at the end of the prompt. Cross attention tells when it looked for each word.
"""

import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.model import RATE_HZ, Detected, ModelSpec, SpeechModel
from livebot.stt.whisper import languages, timing
from livebot.stt.whisper.device import AUTO, Machine, choose
from livebot.stt.whisper.faults import faults
from livebot.stt.whisper.heard import Floats, Heard

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
    with faults(f"the model {spec.name} does not work on {device}", retryable=False):
        loaded = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=spec.threads,
            num_workers=1,
            local_files_only=True,
        )
        # The turbo models were trained without: they write the language that is spoken.
        model = Whisper(loaded, translates="turbo" not in spec.name)
        if device != "cpu":
            model.encode(np.zeros(RATE_HZ, np.float32))
        return model


class Whisper:
    """The model, of whichever size.

    Args:
        loaded: faster-whisper's; its tokenizer, features and weights are used, and none of its
            transcription, which is not made for speech that goes on.
        translates: Whether it was trained to write English of other languages, if it knows any.

    Raises:
        EngineError: Its files do not belong together.
    """

    def __init__(self, loaded: WhisperModel, *, translates: bool = True) -> None:
        self._loaded = loaded
        self._translates = translates
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
        with faults("the language cannot be detected", retryable=True):
            (found,) = self._loaded.model.detect_language(self.encode(samples)[0])
        odds = {languages.of_token(token): probability for token, probability in found}
        return max(
            (Detected(code, odds.get(code, 0.0)) for code in self.languages),
            key=lambda detected: detected.probability,
        )

    @property
    def translates(self) -> bool:
        """Whether it can write English of other languages."""
        return self._is_multilingual and self._translates

    def listen(self, samples: Samples, *, language: str, translate: bool = False) -> Heard:
        """Encode a piece of audio at `RATE_HZ`, 25 s at most for good results."""
        with faults("the audio cannot be encoded", retryable=True):
            encoded, loud = self.encode(samples)
        tokenizer = self._tokenizer(language, "translate" if translate else "transcribe")
        return Heard(self._loaded.model, tokenizer, encoded, loud, is_english=translate)

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

    def _tokenizer(self, language: str, task: str) -> Tokenizer:
        if (language, task) not in self._tokenizers:
            self._tokenizers[language, task] = Tokenizer(
                self._loaded.hf_tokenizer,
                self._is_multilingual,
                task=task,
                language=languages.own(language),
            )
        return self._tokenizers[language, task]
