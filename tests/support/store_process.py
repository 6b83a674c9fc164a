"""A process that works with a store, to be killed: says on its output what it has done.

Called with a folder, the database's address, what to do, and a name: `work` does jobs until there
are none, `claim` claims one and waits, `say` says events of the session of that name for ever.
"""

import asyncio
import sys
from pathlib import Path

from livebot.feeds.directory import live_feed
from livebot.feeds.events import Final
from livebot.feeds.feed import Feed
from livebot.metrics import Metrics
from livebot.store import Store
from livebot.store.records import JobState
from tests.support import kept


def tell(line: str) -> None:
    """Say something that is read even if we are killed now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def work(store: Store, name: str) -> None:
    """Do jobs, each with a transcript, until there are none; begin when told to."""
    tell("ready")
    await asyncio.to_thread(sys.stdin.readline)
    while (job := await store.jobs.claim(name, lease_s=60)) is not None:
        await asyncio.sleep(0)
        said = kept.transcript(f"by {name}", id=job.id, owner=job.owner)
        if await store.jobs.finish(job.id, name, JobState.COMPLETED, transcript=said):
            tell(job.id)


async def claim(store: Store, name: str) -> None:
    """Claim a job and never end it."""
    job = await store.jobs.claim(name, lease_s=1)
    tell(job.id if job else "none")
    await asyncio.sleep(600)


async def say(store: Store, session: str) -> None:
    """Say events of a session; tell of those that readers may have."""
    await store.live.open(kept.live(id=session))
    feed = Feed(live_feed(session), journal=store.live)
    while True:
        feed.publish(Final(f"u{feed.seq}", f"words {feed.seq}", ()))
        await feed.read(feed.seq - 1 if feed.seq else 0)
        tell(str(feed.seq))


async def main(folder: str, url: str, what: str, name: str) -> None:
    """Do it."""
    async with Store(Path(folder), url=url, metrics=Metrics()) as store:
        await {"work": work, "claim": claim, "say": say}[what](store, name)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
