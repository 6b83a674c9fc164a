"""Load the settings and put everything that is wrong into sentences, all at once."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from pydantic import ValidationError

from livebot.errors import ConfigError
from livebot.settings import file
from livebot.settings.model import Settings
from livebot.settings.problems import fields_by_variable, hint, sentences

_FIELDS = fields_by_variable(Settings)


def load_settings(*, for_call: bool = False, **overrides: object) -> Settings:
    """Read all sources.

    Args:
        for_call: Also demand what a service that joins calls needs.
        overrides: Settings by attribute name; they win over all sources.

    Raises:
        ConfigError: With every problem, one sentence each.
    """
    fields = Settings.model_fields
    values: dict[str, Any] = {
        str(fields[name].validation_alias): value for name, value in overrides.items()
    }
    problems = [*_unknown_keys(), *_repeated_keys()]
    broken: dict[str, Any] = {}
    try:
        settings = Settings(**values)
    except ValidationError as exc:
        found = sentences(exc, _FIELDS)
        problems += chain.from_iterable(found.values())
        # With the broken ones at their defaults, the rest can be looked at as well.
        broken = {key: _FIELDS[key].default for key in found}
        settings = Settings(**values | broken)
    except (OSError, UnicodeDecodeError):
        # Without the cause, which may quote the file.
        raise ConfigError(
            ".env cannot be read. Make it UTF-8 text that this user may read, or remove it."
        ) from None
    # What backends lack cannot be said while it is not known which there are.
    if for_call and "LT_BACKENDS" not in broken:
        problems += [text for key, text in settings.call_problems() if key not in broken]
    if problems:
        raise ConfigError(*problems)
    return settings


def _unknown_keys() -> Iterator[str]:
    """Yield a sentence per key of the YAML file that is none; the environment has others' too."""
    for key in (key for key in file.file_values() if key not in _FIELDS):
        yield f"{key} in the file of {file.VARIABLE} is not a setting. {hint(key, _FIELDS)}"


def _repeated_keys() -> Iterator[str]:
    """Yield a sentence per setting that the YAML file has under several keys."""
    for variable, keys in file.repeated().items():
        if variable in _FIELDS:
            shown = " and ".join(keys)
            yield f"{variable} is in the file of {file.VARIABLE} twice: {shown}. Keep one."
