"""Whisper by faster-whisper, on a graphics card where there is one, in worker processes."""

from collections.abc import Mapping

from livebot.stt.host.engine import HostedEngine
from livebot.stt.host.options import HostOptions
from livebot.stt.models.spoken import languages

MODEL = "base"
"""By default: a compromise that two cores carry."""


class WhisperEngine(HostedEngine):
    """Recognises speech in some hundred languages.

    Args:
        options: Attributes of `HostOptions`, as text.

    Raises:
        ConfigError: One does not work.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        chosen = HostOptions.of({"model": MODEL} | dict(options))
        super().__init__(chosen, languages(chosen.model))
