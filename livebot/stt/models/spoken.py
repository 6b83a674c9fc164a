"""Which languages a model understands, as far as its name tells (pure)."""

from collections.abc import Mapping

from livebot.stt.languages import AUTO
from livebot.stt.models.catalog import entry, is_folder
from livebot.stt.whisper.languages import NAMES


def languages(name: str) -> Mapping[str, str]:
    """Return codes and English names; `auto` too where the model finds out by itself.

    What is in a folder is known once it is loaded: until then it may be anything.

    Raises:
        EngineError: No model has that name.
    """
    known = frozenset[str]() if is_folder(name) else entry(name).languages
    if known:
        return {code: NAMES[code] for code in sorted(known)}
    return {**NAMES, AUTO: "Automatic"}
