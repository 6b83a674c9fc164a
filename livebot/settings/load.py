"""Load the settings and put everything that is wrong into sentences, all at once."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from livebot.errors import ConfigError
from livebot.settings import file
from livebot.settings.model import Settings


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
    problems = list(_unknown_keys())
    broken: dict[str, Any] = {}
    try:
        settings = Settings(**values)
    except ValidationError as exc:
        found = _sentences(exc)
        problems += found.values()
        # With the broken ones at their defaults, the rest can be looked at as well.
        broken = {key: _field(key).default for key in found}
        settings = Settings(**values | broken)
    except (OSError, UnicodeDecodeError):
        # Without the cause, which may quote the file.
        raise ConfigError(
            ".env cannot be read. Make it UTF-8 text that this user may read, or remove it."
        ) from None
    if for_call:
        problems += [text for key, text in settings.call_problems() if key not in broken]
    if problems:
        raise ConfigError(*problems)
    return settings


def _field(variable: str) -> Any:
    return next(f for f in Settings.model_fields.values() if f.validation_alias == variable)


def _sentences(error: ValidationError) -> dict[str, str]:
    """Return one sentence per broken variable; pydantic's words never quote the value here."""
    found: dict[str, str] = {}
    for item in error.errors(include_input=False, include_context=False, include_url=False):
        variable = str(item["loc"][0])
        what = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
        found.setdefault(variable, f"{variable} {what}. {_field(variable).description}")
    return found


def _unknown_keys() -> Iterator[str]:
    """Yield a sentence per key of the YAML file that is none; the environment has others' too."""
    known = [str(field.validation_alias) for field in Settings.model_fields.values()]
    for key in file.file_values():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"Did you mean {close[0]}?" if close else "Remove it."
            yield f"{key} in the file of {file.VARIABLE} is not a setting. {hint}"
