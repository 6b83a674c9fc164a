"""The keys that callers of the HTTP API show. No text that is raised quotes one."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from livebot.settings.problems import SettingError
from livebot.settings.text import json_value

KEY_MIN = 16
"""Characters; a shorter key can be guessed."""

NEXTCLOUD = "nextcloud"
"""What the log and the quotas call a caller that showed AppAPI's headers."""

MOST_KEYS = 1000

_TAKEN = frozenset({NEXTCLOUD, "anonymous"})
_NAME_MAX = 64
_LIMITS = ("requests_per_minute", "max_rooms", "max_speakers")
_MOST = 1_000_000


class ApiKey(BaseModel, frozen=True):
    """A key that a caller of the HTTP API shows.

    Attributes:
        name: What the log shows for it.
        key: What the caller shows.
        requests_per_minute: 0 is any number; None is as the settings have it, like those below.
        max_rooms: Calls at the same time.
        max_speakers: Speakers at the same time in these calls.
    """

    name: str
    key: SecretStr
    requests_per_minute: int | None = None
    max_rooms: int | None = None
    max_speakers: int | None = None

    @property
    def revealed(self) -> str:
        """The key itself, to be compared only."""
        return self.key.get_secret_value()


def parse_keys(value: object) -> tuple[ApiKey, ...]:
    """Read `name:key,name2:key2`, or a list of objects, or such a list as JSON.

    Raises:
        SettingError: It is none, or two have the same name or key.
    """
    if isinstance(value, str):
        value = json_value(value) if value.lstrip().startswith("[") else list(_pairs(value))
    if not isinstance(value, list | tuple):
        raise SettingError("must be name:key,name2:key2, or a list of objects")
    if len(value) > MOST_KEYS:
        raise SettingError(f"must not have more than {MOST_KEYS} keys")
    keys = tuple(item if isinstance(item, ApiKey) else _key(item) for item in value)
    if len({key.name for key in keys}) < len(keys):
        raise SettingError("must not have two keys of the same name")
    if len({key.revealed for key in keys}) < len(keys):
        raise SettingError("must not have the same key twice")
    return keys


def _pairs(text: str) -> Iterator[dict[str, str]]:
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, key = item.partition(":")
        yield {"name": name.strip(), "key": key.strip()}


def _key(item: object) -> ApiKey:
    match item:
        case {"name": str(name), "key": str(key), **limits} if name and _is_key(key):
            pass
        case _:
            raise SettingError(
                f"must have a name and a key of {KEY_MIN} plain characters in each entry, without"
                " blanks around it"
            )
    if len(name) > _NAME_MAX or not name.isprintable() or name in _TAKEN:
        raise SettingError(
            f"must have names of up to {_NAME_MAX} plain characters, none of them"
            f" {' or '.join(sorted(_TAKEN))}"
        )
    return ApiKey(name=name, key=SecretStr(key), **_limits(limits))


def _is_key(text: str) -> bool:
    """Say whether it is long enough, and can be shown in a header as it is."""
    return len(text) >= KEY_MIN and text.isprintable() and text == text.strip()


def _limits(given: Mapping[object, object]) -> dict[str, int]:
    if not given.keys() <= {*_LIMITS}:
        raise SettingError(f"may have only {', '.join(_LIMITS)} besides name and key")
    found = {}
    for name in _LIMITS:
        value = given.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
            raise SettingError(f"must have whole numbers, 0 to {_MOST}, as {name}")
        found[name] = value
    return found


ApiKeys = Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(parse_keys)]
