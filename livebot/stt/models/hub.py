"""Ask a hub for files, by HTTP: the hub of models, a mirror, or a folder on a web server.

aiohttp's exceptions end here. The hub names each file's checksum in a header of its own
(`X-Linked-Etag`: SHA-256) or in the entity tag (git's SHA-1), before it redirects to where
the content lies.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Self

import aiohttp
from yarl import URL

from livebot import __version__
from livebot.stt.models.store import Checksum

LATEST = "main"
"""The revision that is asked for first; its answer names the one to stay with."""

BLOCK = 1 << 20
"""Bytes handed on at a time ..."""
BLOCK_S = 0.5
"""... or what came in this time."""

CONNECT_S = 30.0

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_PARTIAL = 206
_NO_SUCH_RANGE = 416


class RefusedError(Exception):
    """Asking again does not help; the text says why."""


class CutError(Exception):
    """Asking again may help; the text says what happened."""


class RestartError(Exception):
    """The rest of a file cannot be had, only all of it."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file that can be had.

    Attributes:
        name: What it is called.
        size: Bytes.
        checksum: What it should be; None where the source does not say.
        revision: Of which version it is.
        etag: What the source calls its content; may be empty.
    """

    name: str
    size: int
    checksum: Checksum | None
    revision: str
    etag: str

    @property
    def tag(self) -> str:
        """Return what differs, most likely, where the content does."""
        return sha256(f"{self.checksum or self.etag} {self.size}".encode()).hexdigest()[:16]


class Hub:
    """Where models come from.

    Args:
        source: Its address.
        stall_s: How long it may send nothing.

    Raises:
        RefusedError: The address is none.
    """

    def __init__(self, source: str, *, stall_s: float) -> None:
        try:
            self._base = URL(source)
        except ValueError as exc:
            raise RefusedError("LT_MODEL_SOURCE is no address") from exc
        if self._base.scheme not in {"http", "https"} or not self._base.host:
            raise RefusedError("LT_MODEL_SOURCE must begin with https:// or http://")
        self._stall_s = stall_s
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Be ready to ask; nothing is connected yet."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S, sock_read=self._stall_s
        )
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=timeout,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"livebot/{__version__}", "Accept-Encoding": "identity"},
                # Whoever is behind a proxy names it in the environment.
                trust_env=True,
            )
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self._stack.aclose()

    async def ask(self, repository: str, name: str, revision: str) -> Remote | None:
        """Return what a file is; None where there is no such file.

        Raises:
            CutError: It cannot be asked now.
            RefusedError: It says no.
        """
        url = self._url(repository, name, revision)
        async with self._follow("HEAD", url, {}) as (response, seen):
            if response.status == HTTPStatus.NOT_FOUND:
                return None
            _check(response)
            etag = seen.get("x-linked-etag", response.headers.get("ETag", ""))
            size = seen.get("x-linked-size", response.headers.get("Content-Length", ""))
            if not size.isdecimal() or not int(size):
                raise RefusedError(f"it does not say how long {name} is")
            commit = seen.get("x-repo-commit", revision)
            return Remote(name, int(size), Checksum.of_etag(etag), commit, etag)

    async def fetch(
        self, repository: str, remote: Remote, *, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """Yield a file's content from `offset` on.

        Raises:
            CutError: It stopped in the middle, or cannot be asked now.
            RestartError: It cannot be had from there on.
            RefusedError: It says no.
        """
        url = self._url(repository, remote.name, remote.revision)
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        async with self._follow("GET", url, headers) as (response, _):
            if offset and response.status == _NO_SUCH_RANGE:
                raise RestartError
            _check(response)
            if offset and not _is_rest(response, offset):
                raise RestartError
            async for block in _blocks(response):
                yield block

    def _url(self, repository: str, name: str, revision: str) -> URL:
        return self._base.joinpath(*repository.split("/"), "resolve", revision, name)

    @asynccontextmanager
    async def _follow(
        self, method: str, url: URL, headers: Mapping[str, str]
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, dict[str, str]]]:
        """Ask, and follow redirects; what the hub says of the file is collected on the way."""
        if self._session is None:
            raise RefusedError("the hub is closed")
        seen: dict[str, str] = {}
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                async with self._session.request(
                    method, url, headers=headers, allow_redirects=False
                ) as response:
                    for key in ("x-linked-etag", "x-linked-size", "x-repo-commit"):
                        if key in response.headers:
                            seen.setdefault(key, response.headers[key])
                    if response.status not in _REDIRECTS or (
                        method == "HEAD" and {"x-linked-etag", "x-linked-size"} <= seen.keys()
                    ):
                        yield response, seen
                        return
                    url = _next(url, response.headers.get("Location", ""))
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLError) as exc:
            raise RefusedError("its certificate is not trusted") from exc
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise CutError(_reason(exc)) from exc
        raise RefusedError("it redirects without end")


def host_of(source: str) -> str:
    """Return whom to name in messages; the path of an address may hold secrets."""
    try:
        return URL(source).host or "LT_MODEL_SOURCE"
    except ValueError:
        return "LT_MODEL_SOURCE"


async def _blocks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield what comes in larger blocks; also what came before it stopped."""
    gathered = bytearray()
    clock = asyncio.get_running_loop().time
    since = clock()
    try:
        async for piece in response.content.iter_any():
            gathered += piece
            if len(gathered) >= BLOCK or clock() - since >= BLOCK_S:
                yield bytes(gathered)
                gathered.clear()
                since = clock()
    except (aiohttp.ClientError, TimeoutError, OSError):
        if gathered:
            yield bytes(gathered)
        raise
    if gathered:
        yield bytes(gathered)


def _next(url: URL, location: str) -> URL:
    try:
        # As it is: what is signed must not be written in another way.
        following = url.join(URL(location, encoded=True))
    except ValueError as exc:
        raise RefusedError("it redirects to no address") from exc
    if following.scheme not in {"https", url.scheme} or not location:
        raise RefusedError("it redirects to where it should not")
    return following


def _check(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status in _AGAIN:
        raise CutError(f"it answers {status}")
    if status in {401, 403}:
        raise RefusedError(f"it answers {status}: what is asked for is private, or not there")
    if status not in {200, _PARTIAL} and status not in _REDIRECTS:
        raise RefusedError(f"it answers {status}")
    if response.content_type == "text/html":
        raise RefusedError("it answers with a web page: does a network want a login first?")


def _is_rest(response: aiohttp.ClientResponse, offset: int) -> bool:
    return response.status == _PARTIAL and response.headers.get("Content-Range", "").startswith(
        f"bytes {offset}-"
    )


def _reason(exc: Exception) -> str:
    if isinstance(exc, TimeoutError):
        return "it sends nothing"
    if isinstance(exc, aiohttp.ClientConnectorError):
        return f"it cannot be reached ({exc.strerror or exc.os_error})"
    return f"the connection broke ({type(exc).__name__})"
