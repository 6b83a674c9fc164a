"""Clients that take their time, in a process of their own: `python -m tests.support.slow_clients`.

Says `ready` once each has been connected, and goes on until its input ends. Who is closed comes
back a second later.
"""

import asyncio
import resource
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

Behaviour: TypeAlias = Callable[[asyncio.StreamWriter, str], Awaitable[None]]

COME_BACK_S = 1.0
POST = b"POST /api/v1/call/transcribe HTTP/1.1\r\nHost: localhost\r\n"
HALF_BODY = b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"roomToken": "'


async def _nothing(_: asyncio.StreamWriter, __: str) -> None:
    """Connect only."""


async def _half_a_header(writer: asyncio.StreamWriter, _: str) -> None:
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: local")


async def _byte_by_byte(writer: asyncio.StreamWriter, _: str) -> None:
    for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + 1000 * b"x":
        writer.write(bytes([byte]))
        await writer.drain()  # which fails once it is closed
        await asyncio.sleep(1)


async def _half_a_body(writer: asyncio.StreamWriter, _: str) -> None:
    writer.write(POST + HALF_BODY)


async def _half_a_body_with_a_key(writer: asyncio.StreamWriter, key: str) -> None:
    writer.write(POST + f"Authorization: Bearer {key}\r\n".encode() + HALF_BODY)


async def _unread_answers(writer: asyncio.StreamWriter, key: str) -> None:
    # Without a reader the limit of the stream is never reached: the kernel's buffers fill.
    asked = f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    writer.write(2 * asked.encode())


KINDS: tuple[Behaviour, ...] = (
    _nothing,
    _half_a_header,
    _byte_by_byte,
    _half_a_body,
    _half_a_body_with_a_key,
    _unread_answers,
)


async def _be_slow(kind: Behaviour, port: int, key: str, connected: asyncio.Event) -> None:
    while True:
        with suppress(OSError):
            sock = socket.socket()
            if kind is _unread_answers:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sock.settimeout(0)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=sock, limit=1)
            connected.set()
            try:
                await kind(writer, key)
                if kind is _unread_answers:
                    reader._transport.pause_reading()  # type: ignore[attr-defined]
                    await asyncio.sleep(COME_BACK_S * 10)
                while await reader.read(1 << 16):
                    pass
            finally:
                writer.transport.abort()
        await asyncio.sleep(COME_BACK_S)


async def _main(port: int, count: int, key: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connected = [asyncio.Event() for _ in range(count)]
    tasks = [
        asyncio.create_task(_be_slow(KINDS[number % len(KINDS)], port, key, event))
        for number, event in enumerate(connected)
    ]
    for event in connected:
        await event.wait()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def slow_clients(port: int, count: int, key: str) -> AsyncIterator[asyncio.Task[bytes]]:
    """Have `count` of them at a port, all kinds in equal parts, until the context is left.

    Yields:
        What is done once all have been connected.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", __name__, str(port), str(count), key),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    arrived = asyncio.create_task(process.stdout.readline(), name="slow-clients")
    try:
        yield arrived
        assert arrived.result() == b"ready\n"
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await arrived


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
