"""Who calls, by what they show: bearer keys, and the headers that Nextcloud's AppAPI sends.

All comparisons are of digests and go through all that is known, so that the time they take
tells nothing about what is right.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from multidict import CIMultiDict, CIMultiDictProxy

from livebot.settings import Settings
from livebot.settings.keys import NEXTCLOUD

_APP_ID = "EX-APP-ID"
_APP_AUTHORIZATION = "AUTHORIZATION-APP-API"
_SCHEMES = frozenset({"bearer", "token"})
"""The second is what Deepgram's clients say."""

_APP_HEADERS = ("AA-VERSION", _APP_ID, "EX-APP-VERSION", _APP_AUTHORIZATION)

Headers = CIMultiDict[str] | CIMultiDictProxy[str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        name: The key's; `nextcloud`, or `anonymous`.
        backend: The one backend whose calls are the caller's; None for all of them.
    """

    name: str
    backend: str | None

    @property
    def is_nextcloud(self) -> bool:
        """Whether it is the Nextcloud of its backend, and no key of anybody's."""
        return self.name == NEXTCLOUD and self.backend is not None


ANONYMOUS = Caller("anonymous", None)


class Callers:
    """Everybody who may call, by the digests of what they show.

    Args:
        settings: Of the whole service, found to tell its callers apart.
    """

    def __init__(self, settings: Settings) -> None:
        self._app_id = settings.app_id
        self._keys = list(_keys(settings))
        self._secrets = list(_secrets(settings))

    def __bool__(self) -> bool:
        """Whether anybody is known."""
        return bool(self._keys or self._secrets)

    def find(self, headers: Headers) -> Caller | None:
        """Return whose credentials the headers hold; None where they are nobody's."""
        return self._by_key(headers) or self._by_secret(headers)

    def shows_any(self, headers: Headers) -> bool:
        """Say whether somebody means to be known, rightly or not, where anybody is."""
        if not self:
            return False
        return _bearer(headers) is not None or _APP_AUTHORIZATION in headers

    def _by_key(self, headers: Headers) -> Caller | None:
        shown = _bearer(headers)
        return None if shown is None else _match(shown, self._keys)

    def _by_secret(self, headers: Headers) -> Caller | None:
        """Return the Nextcloud whose headers these are; AppAPI sends all of them, and once."""
        if any(len(headers.getall(name, ())) != 1 for name in _APP_HEADERS):
            return None
        if not all(headers[name] for name in _APP_HEADERS) or headers[_APP_ID] != self._app_id:
            return None
        try:
            decoded = base64.b64decode(headers[_APP_AUTHORIZATION], validate=True)
        except ValueError:
            return None
        _, colon, secret = decoded.partition(b":")
        return _match(secret, self._secrets) if colon else None


def _bearer(headers: Headers) -> bytes | None:
    """Return what a bearer shows; None where there is none, or not one only."""
    shown = headers.getall("Authorization", [])
    if len(shown) != 1:
        return None
    scheme, _, key = shown[0].partition(" ")
    return key.strip().encode("utf-8", "surrogateescape") if scheme.lower() in _SCHEMES else None


def _keys(settings: Settings) -> Iterator[tuple[bytes, Caller]]:
    """Yield the keys for all backends, then those of one alone, where there are several."""
    for key in settings.api_keys:
        yield _digest(key.key.get_secret_value().encode()), Caller(key.name, None)
    for backend, its in settings.per_backend().items() if settings.backends else ():
        for key in its.api_keys:
            yield _digest(key.key.get_secret_value().encode()), Caller(key.name, backend)


def _secrets(settings: Settings) -> Iterator[tuple[bytes, Caller]]:
    """Yield what each Nextcloud shows to its app; without a secret it shows nothing."""
    for backend, its in settings.per_backend().items() if settings.is_app else ():
        if secret := its.app_secret.get_secret_value():
            yield _digest(secret.encode()), Caller(NEXTCLOUD, backend)


def _match(shown: bytes, known: list[tuple[bytes, Caller]]) -> Caller | None:
    given = _digest(shown)
    found = None
    for digest, caller in known:
        if hmac.compare_digest(given, digest):
            found = caller
    return found


def _digest(secret: bytes) -> bytes:
    """Return what is compared: of one length, however long a secret is."""
    return hashlib.sha256(secret).digest()
