"""Whatever standard input and output are, nobody waits for them in vain."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from livebot.daemon import pipes
from livebot.daemon.pipes import MAX_UNREAD, Input, Output


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe; its ends are closed in the end, by whom ever."""
    reader, writer = os.pipe()
    yield reader, writer
    for fd in (reader, writer):
        with suppress(OSError):
            os.close(fd)


async def drained(fd: int, count: int) -> bytes:
    """Read so many bytes."""
    found = b""
    while len(found) < count:
        data = await asyncio.to_thread(os.read, fd, min(65_536, count - len(found)))
        assert data
        found += data
    return found


async def test_input_ends_where_its_writer_does(pipe: tuple[int, int]) -> None:
    """And gives all that was written before."""
    source = Input(pipe[0])
    os.write(pipe[1], b"one\n")
    os.close(pipe[1])

    assert b"".join([block async for block in source.blocks()]) == b"one\n"
    await source.close()


async def test_input_may_be_a_file(tmp_path: Path) -> None:
    """As in `livebot daemon < requests`."""
    file = tmp_path / "requests"
    file.write_bytes(b"x" * 100_000)
    fd = os.open(file, os.O_RDONLY)
    source = Input(fd)

    assert sum([len(block) async for block in source.blocks()]) == 100_000
    await source.close()
    os.close(fd)


async def test_input_may_be_closed() -> None:
    """As a daemon's may be."""
    source = Input(9999)

    assert [block async for block in source.blocks()] == []
    await source.close()


async def test_a_silent_input_can_be_stopped(pipe: tuple[int, int]) -> None:
    """Its thread ends, although nobody says anything."""
    source = Input(pipe[0])
    waiting = asyncio.ensure_future(anext(source.blocks(), b"the end"))
    await asyncio.sleep(0.01)

    source.stop()
    source.stop()

    assert await waiting == b"the end"
    await source.close()


async def test_output_is_written_in_order(pipe: tuple[int, int]) -> None:
    """Also what is longer than a pipe takes."""
    lines = [b"%d" % number * 50_000 + b"\n" for number in range(8)]
    async with Output(pipe[1]) as output:
        reading = asyncio.ensure_future(drained(pipe[0], sum(map(len, lines))))
        for line in lines:
            output.put(line)
        await output.flush()

        assert await reading == b"".join(lines)
        assert not output.gone.is_set()
        assert not output.lost


async def test_output_may_be_a_file(tmp_path: Path) -> None:
    """As in `livebot daemon > answers`."""
    fd = os.open(tmp_path / "answers", os.O_WRONLY | os.O_CREAT)
    async with Output(fd) as output:
        output.put(b"x" * 100_000)
        await output.flush()
    os.close(fd)

    assert (tmp_path / "answers").stat().st_size == 100_000


async def test_who_does_not_read_is_waited_for(pipe: tuple[int, int]) -> None:
    """There is room again once enough was read; leaving does not wait for it.

    Spec: daemon/Clients that do not read.
    """
    async with Output(pipe[1]) as output:
        output.put(b"x" * MAX_UNREAD)
        before = output.has_room
        output.put(b"x" * 100_000)
        assert (before, output.has_room) == (True, False)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await output.room()

        await drained(pipe[0], MAX_UNREAD + 100_000)
        await output.room()
        output.put(b"x" * 1_000_000)
        await asyncio.sleep(0.05)


async def test_a_client_that_is_gone_is_noticed_on_writing(pipe: tuple[int, int]) -> None:
    """What waits is dropped, and so is what comes."""
    os.close(pipe[0])
    async with Output(pipe[1]) as output:
        output.put(b"x" * (MAX_UNREAD + 1))
        async with asyncio.timeout(10):
            await output.gone.wait()
            await output.flush()
            await output.room()
        output.put(b"x")
        assert output.lost


@pytest.mark.parametrize("kind", ["pipe", "socket"])
async def test_a_client_that_is_gone_is_noticed_without_writing(
    kind: str, monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    """Within a moment; nothing was lost then."""
    monkeypatch.setattr(pipes, "WATCH_S", 0.05)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async with Output(pipe[1] if kind == "pipe" else ours.fileno()) as output:
            await asyncio.sleep(0.1)
            assert not output.gone.is_set()
            theirs.close()
            os.close(pipe[0])
            async with asyncio.timeout(10):
                await output.gone.wait()
            assert not output.lost
