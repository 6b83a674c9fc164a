"""Ask Nextcloud as its app: AppAPI's headers, deadlines, limits.

aiohttp's exceptions end here; whoever asks meets `NextcloudError` alone. The secret is never
shown to anybody else: redirects are not followed, and certificates are checked.
"""

import asyncio
import random
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol, Self
from uuid import uuid4

import aiohttp
from pydantic import SecretStr
from yarl import URL

from livebot.backoff import delay_s
from livebot.errors import NextcloudError
from livebot.metrics import Metrics
from livebot.nextcloud.ocs import AnswerError, data_of
from livebot.settings import Settings

MAX_BODY_BYTES = 512 << 10
"""No answer is longer; the list of task types has some 100 KB where many providers are. To read
so much takes 50 ms, in which the calls of all other Nextclouds stand still."""

MAX_CONNECTIONS = 16
"""At a time; whoever comes later waits, within the own deadline."""

KEEP_ALIVE_S = 4.0
"""How long a connection waits for its next use: web servers close theirs after five seconds."""

FIRST_RETRY_S = 0.2
MOST_RETRY_S = 5.0

_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
"""What may be asked twice without harm."""


class Ocs(Protocol):
    """Who answers questions to Nextcloud; `Nextcloud` is the real one."""

    async def ask(
        self, method: str, path: str, *, body: object = None, within_s: float = 10.0
    ) -> object:
        """Return the data of the answer.

        Args:
            method: In capitals.
            path: From Nextcloud's root on, `/ocs/v2.php/...`.
            body: What is sent as JSON; None for nothing.
            within_s: The deadline, attempts and all.

        Raises:
            AnswerError: Nextcloud says no.
            NextcloudError: It cannot be asked.
        """


class Nextcloud:
    """One Nextcloud, asked as an AppAPI app without a user.

    Requests without a user are not counted against Nextcloud's rate limits.

    Args:
        url: Nextcloud's own address.
        app_id: As it is registered with AppAPI.
        app_version: As AppAPI gave it, which takes a higher one for an update.
        aa_version: AppAPI's, as it gave it.
        secret: What AppAPI gave to this app.
        metrics: What is counted.
        tls: How certificates are checked; None for the system's authorities.
        chance: Random numbers in [0, 1).
    """

    def __init__(
        self,
        url: str,
        *,
        app_id: str,
        app_version: str,
        aa_version: str,
        secret: SecretStr,
        metrics: Metrics,
        tls: ssl.SSLContext | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        # Some are registered with the script in their address.
        self._base = url.rstrip("/").removesuffix("/index.php")
        self._headers = {
            "EX-APP-ID": app_id,
            "EX-APP-VERSION": app_version,
            **({"AA-VERSION": aa_version} if aa_version else {}),
            "AUTHORIZATION-APP-API": b64encode(f":{secret.get_secret_value()}".encode()).decode(),
            "OCS-APIRequest": "true",
            "Accept": "application/json",
            # What is compressed may be many times as long as it seems.
            "Accept-Encoding": "identity",
        }
        self._metrics = metrics
        self._tls = tls
        self._chance = chance
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics) -> Self:
        """Return the Nextcloud of one backend's settings; they are those of an app."""
        return cls(
            settings.nextcloud_url or "",
            app_id=settings.app_id,
            app_version=settings.app_version,
            aa_version=settings.aa_version,
            secret=settings.app_secret,
            metrics=metrics,
        )

    async def __aenter__(self) -> Self:
        """Be ready to ask; nothing is connected yet."""
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S, ssl=self._tls or True
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=None),
                auto_decompress=False,
            )
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self._stack.aclose()

    async def ask(
        self, method: str, path: str, *, body: object = None, within_s: float = 10.0
    ) -> object:
        """Answer as `Ocs.ask()` says; what may be asked twice is, where it fails."""
        last: NextcloudError | None = None
        try:
            async with asyncio.timeout(within_s):
                attempt = 0
                while True:
                    try:
                        return await self._once(method, path, body)
                    except NextcloudError as exc:
                        last = exc
                        if method not in _REPEATABLE or not _may_pass(exc):
                            raise
                    await asyncio.sleep(self._pause_s(attempt))
                    attempt += 1
        except TimeoutError:
            # The last answer tells more than the lack of a next one.
            raise last or self._fault(
                "timeout",
                f"Nextcloud did not answer within {within_s:g} s. Check NEXTCLOUD_URL, and that"
                " this machine reaches it.",
            ) from None

    def _pause_s(self, attempt: int) -> float:
        return delay_s(attempt, self._chance(), first_s=FIRST_RETRY_S, most_s=MOST_RETRY_S)

    async def _once(self, method: str, path: str, body: object) -> object:
        if self._session is None:
            raise RuntimeError("Nextcloud is asked outside of its context")
        try:
            async with self._session.request(
                method,
                URL(self._base + path),
                json=body,
                headers=self._fresh_headers(),
                allow_redirects=False,
            ) as answer:
                found = await self._read(answer)
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as exc:
            raise self._fault(
                "certificate",
                "Nextcloud's certificate is not accepted. Check NEXTCLOUD_URL and the certificate;"
                " SSL_CERT_FILE may name further authorities.",
            ) from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise self._fault(
                "unreachable",
                f"Nextcloud cannot be reached ({type(exc).__name__}). Check NEXTCLOUD_URL, and"
                " that this machine reaches it.",
            ) from exc
        try:
            return data_of(answer.status, found)
        except NextcloudError as exc:
            self._count("refused" if isinstance(exc, AnswerError) else "garbled")
            raise

    def _fresh_headers(self) -> Mapping[str, str]:
        return self._headers | {"AA-REQUEST-ID": uuid4().hex}

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the body, read no further than it may be long."""
        found = bytearray()
        async for piece in answer.content.iter_any():
            found += piece
            if len(found) > MAX_BODY_BYTES:
                raise self._fault(
                    "garbled",
                    f"Nextcloud's answer has more than {MAX_BODY_BYTES} bytes. Check that"
                    " NEXTCLOUD_URL is Nextcloud's address.",
                )
        return bytes(found)

    def _fault(self, kind: str, text: str) -> NextcloudError:
        self._count(kind)
        return NextcloudError(text)

    def _count(self, kind: str) -> None:
        self._metrics.errors.labels("nextcloud", kind).inc()


def _may_pass(fault: NextcloudError) -> bool:
    """Say whether asking again soon may help: not where Nextcloud understood and said no."""
    if isinstance(fault, AnswerError):
        return fault.is_passing
    return not isinstance(fault.__cause__, aiohttp.ClientSSLError)
