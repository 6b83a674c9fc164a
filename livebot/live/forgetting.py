"""Running sessions take back what was said: in memory, in the journal, on readers' screens."""

import asyncio

from livebot.feeds.feed import Feed
from livebot.live.admission import Running
from livebot.live.memory import Memory

RELEASED_S = 5.0
"""How long the journal may take for events that are under way."""


def speaks(running: Running, person: str) -> bool:
    """Say whether a session's speaker is somebody: by name, or else by the owner's."""
    if running.transcription is None:
        return False
    return person == (running.transcription.plan.options.speaker or running.owner)


async def forget(running: Running, memory: Memory | None) -> None:
    """Take back all that a session said so far; it goes on.

    Raises:
        StoreError: The store cannot be asked; what it keeps of the session expires.
        TimeoutError: The journal is stuck.
    """
    if running.transcription is None:
        return
    if running.keeping is not None:
        await running.keeping.forget()
    last = running.transcription.forget()
    if running.is_kept and memory is not None:
        await _until_released(running.transcription.feed, last)
        await memory.blank(running.transcription.plan.id, last - 1)


async def _until_released(feed: Feed, seq: int) -> None:
    async with asyncio.timeout(RELEASED_S):
        after = feed.seq
        while feed.seq < seq:
            await feed.read(after)
            after = feed.seq
