"""The YAML file that `LT_CONFIG` names: the same names as in the environment, or short ones."""

import os
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # it ships no types

from livebot.errors import ConfigError
from livebot.settings.host_fields import HostFields
from livebot.settings.problems import fields_by_variable

VARIABLE = "LT_CONFIG"
"""The one variable that cannot stand in the file itself."""

SHORT = {
    "LANGUAGE": "LT_DEFAULT_LANGUAGE",
    **{
        variable.removeprefix("LT_"): variable
        for variable in ("LT_MODEL_DIR", *fields_by_variable(HostFields))
    },
}
"""Short names, in capitals, and the variable that each is."""


def file_values() -> dict[str, object]:
    """Return what the file says, by variable; nothing where there is no file.

    Raises:
        ConfigError: It cannot be read.
    """
    return {_variable(key): value for key, value in _entries().items()}


def repeated() -> dict[str, list[str]]:
    """Return the variables that the file has more than once, with the keys that they have there.

    Raises:
        ConfigError: It cannot be read.
    """
    found: dict[str, list[str]] = {}
    for key in _entries():
        found.setdefault(_variable(key), []).append(key)
    return {variable: keys for variable, keys in found.items() if len(keys) > 1}


def _variable(key: str) -> str:
    name = key.upper()
    return SHORT.get(name, name)


def _entries() -> dict[str, object]:
    """Return the file's keys as they stand there, with their values."""
    name = os.environ.get(VARIABLE)
    if not name:
        return {}
    try:
        found = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(
            f"{VARIABLE} names a file that cannot be read ({exc.strerror})."
            " Correct the path or its permissions."
        ) from exc
    except (yaml.YAMLError, ValueError, RecursionError):
        # The parser's own words quote the file, which may hold secrets. ValueError: text that is
        # no UTF-8, or a date that there is not.
        raise ConfigError(
            f"{VARIABLE} names a file that is not YAML. Write one line per key, like PORT: 8080."
        ) from None
    if not isinstance(found, dict):
        if found is None:
            return {}
        raise ConfigError(f"{VARIABLE} names a file without keys. Write lines like PORT: 8080.")
    return {str(key): value for key, value in found.items() if value is not None}
