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
_MUTE = "nobody may call it, while others have keys. Set it for this backend or at the top level."


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may call, and what for.

    Attributes:
        shared: Keys for all backends.
        keys: Keys of each backend alone, by its name.
        secrets: By backend, what its Nextcloud shows to its app; nothing where this is no app.
        anonymous: Whether nobody needs a credential.
        local: Whether only this machine can call.
    """

    shared: tuple[ApiKey, ...]
    keys: Mapping[str, tuple[ApiKey, ...]]
    secrets: Mapping[str, str]
    anonymous: bool
    local: bool

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the variable and a sentence with the cure; none quotes a key or a secret."""
        for name, owners in _twice((key.name, owner) for owner, key in self._all_keys()):
            yield KEYS, f"{KEYS}: {owners} have a key named {name}. Rename one."
        for _, owners in _twice((one.revealed, owner) for owner, one in self._all_keys()):
            yield KEYS, f"{KEYS}: {owners} have the same key. Give each its own."
        given = ((secret, f"backend {name}") for name, secret in self.secrets.items() if secret)
        for _, owners in _twice(given):
            yield SECRET, f"{SECRET}: {owners} have the same one. Give each its own."
        yield from self._unreachable()

    def _all_keys(self) -> Iterator[tuple[str, ApiKey]]:
        """Yield whose each key is, and the key."""
        yield from (("the top level", key) for key in self.shared)
        for name, keys in self.keys.items():
            yield from ((f"backend {name}", key) for key in keys)

    def _unreachable(self) -> Iterator[tuple[str, str]]:
        """Yield where callers must show something and nobody has anything to show.

        A key that any backend has closes the service to whoever shows none; a backend without
        one is safe then, but of no use. An app's backends have their secrets, or that is told.
        """
        if self.anonymous or self.shared or self.secrets:
            return
        mute = [name for name, keys in self.keys.items() if not keys]
        if len(mute) < len(self.keys):
            for name in mute:
                yield KEYS, f"LT_BACKENDS: backend {name}: {KEYS} is not set: {_MUTE}"
        elif not self.local:
            yield KEYS, _UNGUARDED


def _twice(given: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield what several have, and who they are, in words."""
    owners: dict[str, list[str]] = {}
    for what, owner in given:
        owners.setdefault(what, []).append(owner)
    for what, found in owners.items():
        if len(found) > 1:
            yield what, " and ".join(found)
