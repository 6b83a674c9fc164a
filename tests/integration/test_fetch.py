"""Files come over real sockets, from servers that do what they like."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from livebot.errors import FetchError
from livebot.fetch.addresses import Allowed
from livebot.fetch.http import Limits, fetch
from tests.support import certificate
from tests.support.waiting import until

SOUND = bytes(range(256)) * 8192

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve every path with one handler; yields the port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(answer: bytes, *, stay: bool = False) -> AsyncIterator[int]:
    """Answer anything with these bytes, and hang up."""
    over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if stay:
            await over.wait()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        over.set()


def limits(*hosts: str, **other: float) -> Limits:
    """Return limits under which this machine may be asked."""
    given = {"max_bytes": 4 << 20, "total_s": 20.0, "idle_s": 10.0, **other}
    return Limits(
        max_bytes=int(given["max_bytes"]),
        total_s=given["total_s"],
        idle_s=given["idle_s"],
        allowed=Allowed.of(hosts or ["127.0.0.1"]),
    )


async def refused(
    url: str,
    into: Path,
    given: Limits,
    lookup: Callable[[], AbstractResolver] = ThreadedResolver,
) -> str:
    """Return why nothing is fetched; nothing may be left of it."""
    with pytest.raises(FetchError) as caught:
        await fetch(url, into, given, lookup)
    assert os.listdir(into) == []  # noqa: PTH208 - the path's own is refused here
    return str(caught.value)


class Names(AbstractResolver):
    """Says of every name that it is this machine."""

    asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the loopback address."""
        Names.asked += 1
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Do nothing."""


async def sound(_: web.BaseRequest) -> web.Response:
    """Answer with the file."""
    return web.Response(body=SOUND)


async def test_a_file_comes_as_it_is(tmp_path: Path) -> None:
    """Readable by us alone, over redirects, without cookies, and uncompressed."""
    seen: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.Response:
        seen.append(request)
        hop = int(request.query.get("hop", "0"))
        if hop < 5:
            answer = web.Response(status=302, headers={"Location": f"/b?hop={hop + 1}"})
            answer.set_cookie("a", "b")
            return answer
        return web.Response(body=SOUND)

    async with server(handle) as port:
        path = await fetch(f"http://127.0.0.1:{port}/a", tmp_path, limits())

    assert await asyncio.to_thread(path.read_bytes) == SOUND
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(seen) == 6
    assert not any(request.cookies for request in seen)
    assert {request.headers["Accept-Encoding"] for request in seen} == {"identity"}


async def test_redirects_end(tmp_path: Path) -> None:
    """After five of them."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"Location": "/again"})

    async with server(handle) as port:
        why = await refused(f"http://127.0.0.1:{port}/", tmp_path, limits())

    assert "more than 5 times" in why


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/"]
)
async def test_a_redirect_leads_into_no_other_private_host(tmp_path: Path, target: str) -> None:
    """What the first host may do, the second may not.

    Spec: daemon/Addresses.
    """
    asked = 0

    async def handle(_: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=302, headers={"Location": target.format(port=port)})

    async with server(handle) as port:
        why = await refused(f"http://127.0.0.1:{port}/", tmp_path, limits())

    assert "private network" in why
    assert asked == 1


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f000001", "rebound.test"]
)
async def test_no_spelling_of_this_machine_is_asked(tmp_path: Path, host: str) -> None:
    """Names and old spellings are judged by what they lead to, before anybody is connected to.

    Spec: daemon/Addresses.
    """
    asked = 0

    async def handle(_: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(body=SOUND)

    lookup = Names if host.endswith(".test") else ThreadedResolver
    async with server(handle) as port:
        url = f"http://{host}:{port}/"
        why = await refused(url, tmp_path, limits("elsewhere.lan"), lookup)

    assert why.startswith(
        ("the address leads into a private network", "the address cannot be read")
    )
    assert asked == 0


async def test_a_named_host_may_be_on_this_machine(tmp_path: Path) -> None:
    """By its name, whatever its address; the resolver is asked once."""
    before = Names.asked
    async with server(sound) as port:
        url = f"http://media.test:{port}/"
        path = await fetch(url, tmp_path, limits("media.test"), lookup=Names)

    assert path.stat().st_size == len(SOUND)
    assert Names.asked == before + 1


async def test_a_proxy_of_the_environment_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would connect to addresses that nobody here has checked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with server(sound) as port:
        path = await fetch(f"http://127.0.0.1:{port}/", tmp_path, limits())

    assert path.stat().st_size == len(SOUND)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_file_may_be_so_large(tmp_path: Path, *, chunked: bool) -> None:
    """By what the server says, and by what comes where it does not say.

    Spec: daemon/Limits of a download.
    """
    size = 3 << 20

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if not chunked:
            return web.Response(body=b"x" * size)
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for _ in range(size >> 16):
            await answer.write(b"x" * (1 << 16))
        return answer

    async with server(handle) as port:
        url = f"http://127.0.0.1:{port}/"
        why = await refused(url, tmp_path, limits(max_bytes=size - 1))
        path = await fetch(url, tmp_path, limits(max_bytes=size))

    assert "LT_FETCH_MAX_MB" in why
    assert path.stat().st_size == size


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx", "answered 206"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "redirects nowhere"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "compresses"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx", "connection broke"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "connection broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "connection broke"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "connection broke"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "connection broke"),
        (b"", "connection broke"),
    ],
    ids=[
        "404",
        "206",
        "nowhere",
        "gzip",
        "short",
        "chunks",
        "length",
        "headers",
        "ssh",
        "nothing",
    ],
)
async def test_what_is_no_file_is_told(tmp_path: Path, answer: bytes, complaint: str) -> None:
    """Servers that fail, lie or are none."""
    async with raw_server(answer) as port:
        why = await refused(f"http://127.0.0.1:{port}/secret-path", tmp_path, limits())

    assert complaint in why
    assert "secret-path" not in why


@pytest.mark.parametrize(
    ("given", "complaint"),
    [({"idle_s": 0.2}, "said nothing for 0.2 s"), ({"total_s": 0.2}, "LT_FETCH_TIMEOUT")],
)
async def test_a_silent_server_is_given_up(
    tmp_path: Path, given: dict[str, float], complaint: str
) -> None:
    """In the middle of a file, by either deadline.

    Spec: daemon/Limits of a download.
    """
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"
    async with raw_server(answer, stay=True) as port:
        why = await refused(f"http://127.0.0.1:{port}/", tmp_path, limits(**given))

    assert complaint in why


async def test_who_is_not_there_is_told(tmp_path: Path) -> None:
    """No server, and no such name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert "cannot be reached" in await refused(url, tmp_path, limits())
    assert "no host of this name" in await refused("http://a.invalid/", tmp_path, limits())


async def test_a_certificate_that_is_not_ours_is_not_accepted(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As with a browser."""
    tls, _ = certificate.create(tmp_path_factory.mktemp("tls"))
    async with server(sound, tls) as port:
        why = await refused(f"https://127.0.0.1:{port}/", tmp_path, limits())

    assert "certificate" in why


async def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    """In the middle of a file."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 2_000_000
    async with raw_server(answer, stay=True) as port:
        running = asyncio.ensure_future(fetch(f"http://127.0.0.1:{port}/", tmp_path, limits()))
        await until(lambda: any(path.stat().st_size for path in tmp_path.iterdir()))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """The disk's faults have their own cure."""
    async with server(sound) as port:
        with pytest.raises(FetchError, match="LT_TEMP_DIR"):
            await fetch(f"http://127.0.0.1:{port}/", tmp_path / "gone", limits())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk for all")
async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the file is left there either."""
    name = tmp_path / "file"
    name.symlink_to("/dev/full")
    number = os.open(name, os.O_WRONLY)
    monkeypatch.setattr("tempfile.mkstemp", lambda *_: (number, str(name)))

    async with server(sound) as port:
        why = await refused(f"http://127.0.0.1:{port}/", tmp_path, limits())

    assert "no space is left" in why
