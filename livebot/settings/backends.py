"""Several Nextclouds in one process: what `LT_BACKENDS` says of each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import NoDecode

from livebot.settings.backend_fields import BackendFields
from livebot.settings.problems import (
    PartsError,
    SettingError,
    fields_by_variable,
    hint,
    sentences,
)
from livebot.settings.text import json_value

MOST_BACKENDS = 100

_NAME = re.compile(r"[a-z0-9-]{1,32}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_FIELDS = fields_by_variable(BackendFields)


@dataclass(frozen=True, slots=True)
class Backend:
    """One Nextcloud.

    Attributes:
        name: What callers, logs and metrics call it.
        own: What differs from the top level, by attribute of the settings, checked.
    """

    name: str
    own: Mapping[str, Any]


def parse_backends(value: object) -> tuple[Backend, ...]:
    """Read a list of objects, or such a list as JSON.

    Raises:
        SettingError: It is none.
        PartsError: What is wrong with its objects, each named.
    """
    if isinstance(value, str):
        value = json_value(value)
    if not isinstance(value, list | tuple) or len(value) > MOST_BACKENDS:
        raise SettingError(f"must be a list of objects, {MOST_BACKENDS} at most")
    found = [_Object(number, item) for number, item in enumerate(value, 1)]
    problems = [text for one in found for text in one.problems]
    names = [one.name for one in found if one.name]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [f"two backends have the name {name}. Rename one." for name in twice]
    if problems:
        raise PartsError(*problems)
    return tuple(Backend(one.name, one.own) for one in found)


class _Object:
    """One object as it is read: its name, what it says, and what is wrong with it."""

    def __init__(self, number: int, item: object) -> None:
        self.name = ""
        self.own: dict[str, Any] = {}
        self.problems: list[str] = []
        if isinstance(item, Backend):
            self.name, self.own = item.name, dict(item.own)
        elif isinstance(item, dict):
            given = {str(key).upper(): value for key, value in item.items()}
            self._name(number, given.pop("NAME", None))
            label = f"backend {self.name or number}"
            self.problems += [f"{label}: {text}" for text in self._read(given)]
        else:
            self.problems.append(f"backend {number} must be an object with a name.")

    def _name(self, number: int, name: object) -> None:
        if isinstance(name, str) and _NAME.fullmatch(name):
            self.name = name
        else:
            self.problems.append(
                f"backend {number} needs a name of small letters, digits and hyphens, 32 at most."
            )

    def _read(self, given: Mapping[str, object]) -> Iterator[str]:
        """Take what works; yield a sentence for what does not."""
        for key in (key for key in given if key not in _FIELDS):
            shown = key if _VARIABLE.fullmatch(key) else "a key"
            yield f"{shown} is not a setting of a backend. {hint(key, _FIELDS)}"
        # What is empty is not set, as in the environment.
        said = {key: given[key] for key in _FIELDS if given.get(key) not in (None, "")}
        try:
            found = BackendFields.model_validate(said)
        except ValidationError as exc:
            for texts in sentences(exc, _FIELDS).values():
                yield from texts
        else:
            self.own = {name: getattr(found, name) for name in found.model_fields_set}


Backends = Annotated[tuple[Backend, ...], NoDecode, BeforeValidator(parse_backends)]
