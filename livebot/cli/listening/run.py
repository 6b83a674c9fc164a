"""`livebot listen` from its options to its exit code."""

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from livebot.cli.codes import OK
from livebot.cli.console import out
from livebot.cli.host import build, check_language
from livebot.cli.listening.raw import RawReader
from livebot.cli.listening.screen import Words, words_for
from livebot.cli.listening.sources import until
from livebot.cli.signals import run as run_until_signal
from livebot.cli.transcribing.run import screen_for
from livebot.stt.engine import SttStream
from livebot.stt.host.options import HostOptions


def listen(
    options: HostOptions,
    blocks: AsyncGenerator[bytes],
    reader: RawReader,
    *,
    language: str,
    as_json: bool,
) -> int:
    """Listen until the sound ends, or until Ctrl-C; the last words come nevertheless.

    Raises:
        ConfigError: (also in a group) The model does not know the language.
        LivebotError: (also in a group) The sound cannot be read, or the engine is lost.
    """
    console = out()
    words = words_for(
        sys.stdout,
        as_json=as_json,
        colour=bool(console.color_system),
        width=shutil.get_terminal_size().columns,
    )
    stop = asyncio.Event()
    work = _run(options, blocks, reader, words, language, stop)
    return run_until_signal(work, on_first=stop.set)


async def _run(
    options: HostOptions,
    blocks: AsyncGenerator[bytes],
    reader: RawReader,
    words: Words,
    language: str,
    stop: asyncio.Event,
) -> int:
    with screen_for(quiet=False) as screen:
        host = build(options, screen.download)
        loading = f"loading {options.model}"
        screen.progress(loading, 0.0, 0.0)
        async with host:
            screen.finished(loading)
            check_language(host, language)
            async with host.open(language=language) as stream:
                with screen.paused():
                    await _hear(stream, until(stop, blocks), reader, words)
    return OK


async def _hear(
    stream: SttStream, blocks: AsyncGenerator[bytes], reader: RawReader, words: Words
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_feed(stream, blocks, reader), name="listen-feed")
        async for event in stream.events():
            words.show(event)
    words.end()


async def _feed(stream: SttStream, blocks: AsyncGenerator[bytes], reader: RawReader) -> None:
    async with aclosing(blocks) as found:
        async for block in found:
            if len(samples := reader.push(block)):
                await stream.send(samples)
    if len(samples := reader.flush()):
        await stream.send(samples)
    await stream.finish()
