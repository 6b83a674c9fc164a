"""Settings that are texts with a structure: lists and JSON."""

import json

from livebot.settings.problems import SettingError


def json_value(text: str) -> object:
    """Read JSON.

    Raises:
        SettingError: It is none; the text quotes nothing of it.
    """
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingError("is not JSON") from None
    return found


def words(value: object) -> list[str]:
    """Read a list of texts, or one text with commas between them; blanks do not count.

    Raises:
        SettingError: It is neither.
    """
    if isinstance(value, str):
        value = json_value(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise SettingError("must be a list of texts")
    return [word for item in value if (word := item.strip())]
