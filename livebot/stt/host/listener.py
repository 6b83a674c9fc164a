"""A stream's ear: the model, in a language that it may have to find out first (pure)."""

from collections.abc import Callable

from livebot.audio.pcm import Samples
from livebot.stt.languages import AUTO
from livebot.stt.model import RATE_HZ, Detected, Heard, SpeechModel

SURE_AFTER_S = 3.0
"""Of less speech a model is not asked for good: the next piece is listened to afresh."""


class Listener:
    """Hears pieces of audio; a `streaming.Listen`.

    Args:
        model: Hears.
        language: A code of the model's, or `auto`.
        on_detected: Called when `auto` has become a language, and when it was another one.
        translate: Whether to write everything down in English.
    """

    def __init__(
        self,
        model: SpeechModel,
        language: str,
        on_detected: Callable[[Detected], None],
        *,
        translate: bool = False,
    ) -> None:
        self._model = model
        self._translate = translate
        self._language = "" if language == AUTO else language
        self._is_sure = bool(self._language)
        self._on_detected = on_detected

    def __call__(self, samples: Samples) -> Heard:
        """Hear a piece of audio at `model.RATE_HZ`."""
        if not self._is_sure:
            self._detect(samples)
        return self._model.listen(samples, language=self._language, translate=self._translate)

    def _detect(self, samples: Samples) -> None:
        found = self._model.detect(samples)
        self._is_sure = len(samples) >= SURE_AFTER_S * RATE_HZ
        if found.language != self._language or self._is_sure:
            self._language = found.language
            self._on_detected(found)
