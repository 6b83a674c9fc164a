"""Find an engine by its name."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import cast

from livebot.errors import ConfigError
from livebot.stt.engine import EngineFactory, SttEngine

GROUP = "livebot.engines"


def available() -> list[str]:
    """Return the names of the installed engines; whether they work is `check()`'s business."""
    return sorted({entry_point.name for entry_point in entry_points(group=GROUP)})


def load(name: str, options: Mapping[str, str]) -> SttEngine:
    """Import the engine `name` and build it.

    Raises:
        ConfigError: There is no such engine, or its dependencies or options are missing.
    """
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise ConfigError(f"no engine {name!r}; have {', '.join(available())}")
    try:
        factory = cast(EngineFactory, found.load())
    except ImportError as exc:
        cure = f"pip install 'livebot[{name}]', or make setup in a checkout"
        raise ConfigError(f"engine {name!r} needs more: {cure}") from exc
    return factory(options)
