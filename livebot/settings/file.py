"""The YAML file that `LT_CONFIG` names: the same names as in the environment."""

import os
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # it ships no types

from livebot.errors import ConfigError

VARIABLE = "LT_CONFIG"
"""The one variable that cannot stand in the file itself."""


def file_values() -> dict[str, object]:
    """Return what the file says, by variable; nothing where there is no file.

    Raises:
        ConfigError: It cannot be read.
    """
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
    return {str(key).upper(): value for key, value in found.items() if value is not None}
