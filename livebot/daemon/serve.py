"""One client from the first line to the last: taken in, worked on, and brought to an end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from livebot.daemon import answers
from livebot.daemon.answers import Answer
from livebot.daemon.dispatcher import Dispatcher
from livebot.daemon.framing import Decoder
from livebot.daemon.host import Host
from livebot.daemon.pipes import Input, Output
from livebot.daemon.recognitions import FindTurns, Recognitions
from livebot.daemon.sources import Sources
from livebot.daemon.streams import LiveStreams

DRAIN_S = 25.0
"""From being asked to stop until what still runs is given up. Kubernetes kills after 30 s."""

FLUSH_S = 2.0
"""For the client to read that it was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a client may have.

    Attributes:
        models: The names that requests may use.
        limit: How many requests may be under way.
        find_turns: Finds who speaks when in a file.
        drain_s: How long is waited for what runs when the daemon is to stop.
    """

    models: frozenset[str] = frozenset()
    limit: int = 1000
    find_turns: FindTurns
    drain_s: float = DRAIN_S


@dataclass(frozen=True, slots=True)
class Stop:
    """Whether the daemon is to stop.

    Attributes:
        soon: With what runs finished.
        now: Without.
    """

    soon: asyncio.Event = field(default_factory=asyncio.Event)
    now: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Stop soon; asked again, now."""
        (self.now if self.soon.is_set() else self.soon).set()


async def serve(
    source: Input, output: Output, host: Host, sources: Sources, terms: Terms, stop: Stop
) -> None:
    """Serve a client until it says nothing more, or is gone, or `stop` asks for the end.

    At the end of the input all that was asked is answered, however long that takes; where
    `stop` is asked, what is not done in time is answered with an error.
    """

    def say(answer: Answer) -> None:
        output.put(answers.encode(answer))

    def hint(answer: Answer) -> None:
        if output.has_room:
            say(answer)

    async with asyncio.TaskGroup() as group:
        recognitions = Recognitions(
            host,
            sources,
            models=terms.models,
            find_turns=terms.find_turns,
            limit=terms.limit,
            say=say,
            hint=hint,
            group=group,
        )
        streams = LiveStreams(host, models=terms.models, say=say, room=output.room, group=group)
        dispatcher = Dispatcher(host, recognitions, streams, say)
        await _first(_listen(source, output, dispatcher), stop.soon.wait(), output.gone.wait())
        source.stop()
        streams.finish()
        await _first(
            _finish(recognitions, streams, output),
            _deadline(stop, terms.drain_s),
            output.gone.wait(),
        )
        recognitions.stop()
        streams.stop()
    await _first(output.flush(), asyncio.sleep(FLUSH_S))


async def _listen(source: Input, output: Output, dispatcher: Dispatcher) -> None:
    """Take in what the client says, no faster than it reads what it is told."""
    decoder = Decoder()
    async for block in source.blocks():
        for item in decoder.feed(block):
            await output.room()
            dispatcher.take(item)
        # Much may come at once, and what it began is to begin.
        await asyncio.sleep(0)
    for item in decoder.end():
        dispatcher.take(item)


async def _finish(recognitions: Recognitions, streams: LiveStreams, output: Output) -> None:
    """Wait until all is done, and read."""
    while tasks := [*recognitions.tasks, *streams.tasks]:
        await asyncio.wait(tasks)
        await asyncio.sleep(0)
    await output.flush()


async def _deadline(stop: Stop, drain_s: float) -> None:
    """Wait until no more is to be waited."""
    await _first(stop.soon.wait(), stop.now.wait())
    await _first(stop.now.wait(), asyncio.sleep(drain_s))


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of these is over; the others are given up.

    Raises:
        Exception: What the first one raised.
    """
    tasks = [asyncio.create_task(wait, name="daemon-wait") for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
