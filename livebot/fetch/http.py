"""Files from http and https, within limits, and never from where nobody else may look.

aiohttp's exceptions end here; whoever fetches meets `FetchError` alone. There are no cookies
and no proxies: a proxy would connect to addresses that nobody here has checked.
"""

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from livebot import __version__
from livebot.errors import FetchError
from livebot.fetch import urls
from livebot.fetch.addresses import Allowed
from livebot.fetch.resolver import GuardedResolver

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BLOCK = 1 << 20
_MB = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost.

    Attributes:
        max_bytes: Of the file.
        total_s: From the first question to the last byte, redirects and all.
        idle_s: Without a byte; also for the connection to be made.
        allowed: What may be reached besides public addresses.
    """

    max_bytes: int = 1024 * _MB
    total_s: float = 600.0
    idle_s: float = 30.0
    allowed: Allowed = field(default_factory=Allowed)


async def fetch(
    url: str,
    into: Path,
    limits: Limits,
    lookup: Callable[[], AbstractResolver] = ThreadedResolver,
) -> Path:
    """Fetch a file; nothing of it is left where that fails or is cancelled.

    Args:
        url: Of http or https.
        into: The folder where it is put, under a name that says nothing.
        limits: What it may cost.
        lookup: Who knows the addresses of names.

    Raises:
        FetchError: It may not be fetched, or cannot be.
    """
    try:
        async with asyncio.timeout(limits.total_s):
            async with _session(limits, lookup) as session, _answer(session, url, limits) as got:
                return await _save(got, into, limits)
    except aiohttp.ClientError as exc:
        raise FetchError(_cure(exc, limits)) from exc
    except TimeoutError as exc:
        raise FetchError(
            f"not fetched within {limits.total_s:g} s: LT_FETCH_TIMEOUT may allow more"
        ) from exc


@asynccontextmanager
async def _session(
    limits: Limits, lookup: Callable[[], AbstractResolver]
) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(lookup(), limits.allowed), use_dns_cache=False, force_close=True
    )
    async with aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(sock_connect=limits.idle_s, sock_read=limits.idle_s),
        # What is compressed may be many times as long as it seems.
        headers={"Accept-Encoding": "identity", "User-Agent": f"livebot/{__version__}"},
    ) as session:
        yield session


@asynccontextmanager
async def _answer(
    session: aiohttp.ClientSession, text: str, limits: Limits
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask, and follow redirects, each of them checked."""
    url = urls.checked(text, limits.allowed)
    for _ in range(MAX_REDIRECTS + 1):
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status not in _REDIRECTS:
                yield _accepted(answer, limits)
                return
            url = _target(url, answer, limits)
    raise FetchError(f"the server redirects more than {MAX_REDIRECTS} times: check the address")


def _target(url: URL, answer: aiohttp.ClientResponse, limits: Limits) -> URL:
    if not (location := answer.headers.get("Location")):
        raise FetchError("the server redirects nowhere: check the address")
    return urls.redirected(url, location, limits.allowed)


def _accepted(answer: aiohttp.ClientResponse, limits: Limits) -> aiohttp.ClientResponse:
    if answer.status != HTTPStatus.OK:
        raise FetchError(
            f"the server answered {answer.status}: check the address, and that it needs no login"
        )
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError("the server compresses the file although it was asked not to")
    if (answer.content_length or 0) > limits.max_bytes:
        raise _too_large(limits)
    return answer


async def _save(answer: aiohttp.ClientResponse, into: Path, limits: Limits) -> Path:
    try:
        number, name = await _unbroken(tempfile.mkstemp, "", "fetched-", into)
        try:
            await _write(answer, number, limits)
        except BaseException:
            await _unbroken(os.unlink, name)
            raise
        finally:
            await _unbroken(os.close, number)
    except OSError as exc:
        if isinstance(exc, aiohttp.ClientError | TimeoutError):
            raise
        raise FetchError(_cure_of_disk(exc)) from exc
    return Path(name)


async def _write(answer: aiohttp.ClientResponse, number: int, limits: Limits) -> None:
    total, block = 0, bytearray()
    async for piece in answer.content.iter_any():
        total += len(piece)
        if total > limits.max_bytes:
            raise _too_large(limits)
        block += piece
        if len(block) >= _BLOCK:
            await _unbroken(_write_all, number, bytes(block))
            block.clear()
    await _unbroken(_write_all, number, bytes(block))


def _write_all(number: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(number, left) :]


async def _unbroken(call: Callable[..., T], *arguments: object) -> T:
    """Call in a thread; who is cancelled waits, or the file would be closed under its writer."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _too_large(limits: Limits) -> FetchError:
    return FetchError(
        f"the file has more than {limits.max_bytes / _MB:g} MB: LT_FETCH_MAX_MB may allow more"
    )


def _cure(fault: aiohttp.ClientError, limits: Limits) -> str:
    match fault:
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return (
                "the server's certificate is not accepted: check the address; SSL_CERT_FILE may"
                " name further authorities"
            )
        case aiohttp.ServerTimeoutError():
            return f"the server said nothing for {limits.idle_s:g} s: try again later"
        case aiohttp.InvalidURL():
            return urls.MALFORMED
        case aiohttp.ClientConnectorDNSError():
            return "there is no host of this name: check the address"
        case aiohttp.ClientConnectorError():
            return "the server cannot be reached: check the address, and the network here"
        case _:
            return "the connection broke before the end of the file: try again"


def _cure_of_disk(fault: OSError) -> str:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space is left for the file: make some, or set LT_TEMP_DIR"
    return "the file cannot be written: check that LT_TEMP_DIR is a folder of our own"
