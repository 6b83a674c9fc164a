"""The embedded engine: a model that comes with its package, in worker processes."""

from collections.abc import Mapping

from livebot.stt.host.engine import HostedEngine
from livebot.stt.host.options import HostOptions
from livebot.stt.models.spoken import languages


class LocalEngine(HostedEngine):
    """Recognises speech on this machine's processors; without a choice of model, English.

    Args:
        options: Attributes of `HostOptions`, as text.

    Raises:
        ConfigError: One does not work.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        chosen = HostOptions.of(options)
        super().__init__(chosen, languages(chosen.model))
