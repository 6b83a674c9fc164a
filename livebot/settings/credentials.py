"""Whether each credential names one caller, and each backend has somebody who may call it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from livebot.settings.keys import ApiKey

KEYS = "LT_API_KEYS"
SECRET = "APP_SECRET"  # noqa: S105  # a name

_UNGUARDED = (
    f"{KEYS} is not set while HOST lets other machines in. Set it to name:key"
    " (openssl rand -hex 32), or set LT_ALLOW_ANONYMOUS=true."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may call a service, and what for.

    Attributes:
        shared: Keys for all backends.
        keys: Keys of each backend alone, by its name.
        secrets: What Nextcloud shows, by backend; empty where it is none of ours.
        anonymous: Whether no credential is needed.
        local: Whether only this machine can call.
    """

    shared: tuple[ApiKey, ...]
    keys: Mapping[str, tuple[ApiKey, ...]]
    secrets: Mapping[str, str]
    anonymous: bool
    local: bool

    @property
    def are_needed(self) -> bool:
        """Whether callers must show one: where there are any, and wherever others get in."""
        any_there = bool(self.shared) or any(self.keys.values()) or any(self.secrets.values())
        return not self.anonymous and (any_there or not self.local)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the variable and a sentence with the cure."""
        yield from self._shared_names()
        yield from self._shared_keys()
        yield from self._shared_secrets()
        yield from self._unreachable()

    def _all(self) -> Iterator[tuple[str, ApiKey]]:
        """Yield every key and whose it is."""
        yield from (("the top level", key) for key in self.shared)
        for name, keys in self.keys.items():
            yield from ((f"backend {name}", key) for key in keys)

    def _shared_names(self) -> Iterator[tuple[str, str]]:
        for name, owners in _twice((key.name, owner) for owner, key in self._all()):
            yield KEYS, f"{KEYS}: {owners} have a key named {name}. Rename one."

    def _shared_keys(self) -> Iterator[tuple[str, str]]:
        for _, owners in _twice((k.key.get_secret_value(), owner) for owner, k in self._all()):
            yield KEYS, f"{KEYS}: {owners} have the same key. Give each its own."

    def _shared_secrets(self) -> Iterator[tuple[str, str]]:
        given = ((secret, f"backend {name}") for name, secret in self.secrets.items() if secret)
        for _, owners in _twice(given):
            yield SECRET, f"{SECRET}: {owners} have the same one. Give each its own."

    def _unreachable(self) -> Iterator[tuple[str, str]]:
        """Nobody may call a backend that has no credential while callers must show one."""
        if not self.are_needed or self.shared:
            return
        mute = [n for n in self.keys if not self.keys[n] and not self.secrets.get(n)]
        if len(mute) == len(self.keys):
            yield KEYS, _UNGUARDED
            return
        for name in mute:
            yield KEYS, f"LT_BACKENDS: backend {name}: nobody may call it. Set its {KEYS}."


def _twice(given: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield what several own, and who, as words."""
    owners: dict[str, list[str]] = {}
    for what, owner in given:
        owners.setdefault(what, []).append(owner)
    for what, found in owners.items():
        if len(found) > 1:
            yield what, " and ".join(found)
