"""Where live sound comes from."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from livebot.cli.listening.sources import stdin_blocks, until


async def all_of(blocks: AsyncGenerator[bytes]) -> bytes:
    """Return all that comes."""
    return b"".join([block async for block in blocks])


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Return what makes a descriptor stdin, for as long as the test lasts."""
    with ExitStack() as opened:
        yield lambda number: monkeypatch.setattr(
            sys, "stdin", opened.enter_context(os.fdopen(number))
        )


async def test_a_pipe(take: Callable[[int], None]) -> None:
    """Blocks come as they are written, until it is closed."""
    reader, writer = os.pipe()
    take(reader)
    blocks = stdin_blocks()
    for text in (b"one", b"two"):
        os.write(writer, text)
        assert await anext(blocks) == text
    os.close(writer)
    assert await all_of(blocks) == b""


async def test_a_file(tmp_path: Path, take: Callable[[int], None]) -> None:
    """All of it."""
    data = bytes(range(256)) * 1000
    await asyncio.to_thread((tmp_path / "x.raw").write_bytes, data)
    take(await asyncio.to_thread(os.open, tmp_path / "x.raw", os.O_RDONLY))
    assert await all_of(stdin_blocks()) == data


async def test_nothing(take: Callable[[int], None]) -> None:
    """As of a service without input."""
    take(await asyncio.to_thread(os.open, os.devnull, os.O_RDONLY))
    assert await all_of(stdin_blocks()) == b""


async def test_whoever_has_heard_enough_waits_no_longer(take: Callable[[int], None]) -> None:
    """Although nothing comes. Spec: command-line/Live sound."""
    reader, writer = os.pipe()
    take(reader)
    stop = asyncio.Event()
    blocks = stdin_blocks()
    found = asyncio.create_task(all_of(until(stop, blocks)))
    os.write(writer, b"one")
    await asyncio.sleep(0.05)
    assert not found.done()
    stop.set()
    assert await found == b"one"
    await blocks.aclose()
    os.close(writer)


async def test_what_is_in_the_pipe_already_is_heard(take: Callable[[int], None]) -> None:
    """It was said before Ctrl-C. Spec: command-line/Live sound."""
    reader, writer = os.pipe()
    take(reader)
    os.write(writer, bytes(60_000))
    stop = asyncio.Event()
    stop.set()
    blocks = stdin_blocks()
    assert len(await all_of(until(stop, blocks))) == 60_000
    await blocks.aclose()
    os.close(writer)


@pytest.mark.virtual_time
async def test_whoever_goes_on_talking_is_heard_no_longer() -> None:
    """Somebody has heard enough."""

    async def endless() -> AsyncGenerator[bytes]:
        while True:
            await asyncio.sleep(0.1)
            yield b"and "

    stop = asyncio.Event()
    stop.set()
    assert 2 <= len(await all_of(until(stop, endless()))) / 4 <= 6


async def test_the_end_of_what_comes_is_the_end() -> None:
    """And what goes wrong is told."""

    async def broken() -> AsyncGenerator[bytes]:
        yield b"one"
        raise OSError(5, "fault")

    async def whole() -> AsyncGenerator[bytes]:
        yield b"one"
        yield b"two"

    assert await all_of(until(asyncio.Event(), whole())) == b"onetwo"
    with pytest.raises(OSError, match="fault"):
        await all_of(until(asyncio.Event(), broken()))
