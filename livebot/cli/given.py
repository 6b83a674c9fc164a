"""From options to settings."""

from typing import Any

from livebot.settings import Settings
from livebot.stt.languages import AUTO


def given(**options: object) -> dict[str, Any]:
    """Return the options that were used; the others leave the settings as they are."""
    return {name: value for name, value in options.items() if value is not None}


def spoken(option: str | None, settings: Settings) -> str:
    """Return what is spoken: what an option or a setting says, else it is to be found out.

    What calls are taken for where nobody says says nothing about recordings.
    """
    if option is not None:
        return option
    return settings.language if "language" in settings.model_fields_set else AUTO
