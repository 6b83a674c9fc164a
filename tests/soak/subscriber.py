"""A program that subscribes to some speakers again and again, with the bot's own peers.

Runs as a process of its own (`python -m tests.soak.subscriber`), so that nothing but what the
bot is made of can grow in it. It prints what it holds now and then, one JSON object a line.
"""

import argparse
import asyncio
import gc
import json
import os
from dataclasses import asdict, dataclass, fields
from itertools import cycle, islice

from livebot.ids import RoomToken, SessionId
from livebot.media.peer import RATE_HZ, Peer, open_peer
from livebot.rooms.talk import FixedTalkSettings
from livebot.signaling.client import SignalingClient
from livebot.signaling.events import CallChanged, CandidateFound, Offered, SignalingEvent
from tests.soak.usage import usage

AUDIO_S = 0.1
"""How much is received of each peer."""

_ONE_WITHIN_S = 20.0
_SETTLES_S = 1.5
"""RTCP and consent checks of a closed peer end by then."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for on the command line.

    Attributes:
        url: The signaling server's WebSocket.
        secret: For bots.
        backend: Nextcloud's base URL.
        room: Where the speakers are.
        speakers: How many there are, to be subscribed to by turns: a server that is told of the
            end of a subscription while it makes the next one to the same speaker ends that too.
        peers: How many in all.
        every: After how many to print what is held.
    """

    url: str
    secret: str
    backend: str
    room: str
    speakers: int
    peers: int
    every: int


class Subscriber:
    """In a room with speakers."""

    def __init__(self, asked: Asked) -> None:
        self._events: asyncio.Queue[SignalingEvent] = asyncio.Queue(1000)
        self._client = SignalingClient(
            find_url=FixedTalkSettings(asked.url).hpb_url,
            room=RoomToken(asked.room),
            secret=asked.secret,
            backend=asked.backend,
            on_event=self._events.put_nowait,
        )

    async def run(self, asked: Asked) -> None:
        """Open and close so many peers, one after the other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._client.run(), name="signaling")
            speakers = await self._speakers(asked.speakers)
            for number, speaker in enumerate(islice(cycle(speakers), asked.peers), 1):
                async with asyncio.timeout(_ONE_WITHIN_S):
                    await self._one(speaker)
                if number % asked.every == 0:
                    await _print(number)
            await self._client.leave()

    async def _speakers(self, count: int) -> list[SessionId]:
        """Wait until so many are in the call."""
        found: set[SessionId] = set()
        while len(found) < count:
            match await self._events.get():
                case CallChanged(states=states):
                    found |= {state.session for state in states if state.speaks}
                case _:
                    pass
        return sorted(found)

    async def _one(self, speaker: SessionId) -> None:
        """Have one peer, from asking for it to closing it."""
        self._client.subscribe(speaker)
        offer, early = await self._offer()
        async with open_peer(()) as peer, asyncio.TaskGroup() as group:
            sdp = await peer.answer(offer.sdp)
            self._client.answer(speaker, sid=offer.sid, sdp=sdp)
            following = group.create_task(self._follow(peer, early), name="candidates")
            received = 0
            while received < AUDIO_S * RATE_HZ:
                frame = await peer.receive()
                assert frame is not None, "the peer ended"
                received += frame.samples.size
            following.cancel()
        self._client.unsubscribe(speaker)

    async def _offer(self) -> tuple[Offered, list[CandidateFound]]:
        """Wait for the offer; return it with the candidates that came before it."""
        early: list[CandidateFound] = []
        while True:
            match await self._events.get():
                case Offered() as offer:
                    return offer, early
                case CandidateFound() as candidate:
                    early.append(candidate)
                case _:
                    pass

    async def _follow(self, peer: Peer, early: list[CandidateFound]) -> None:
        for found in early:
            await peer.add_candidate(found.candidate, found.mid, found.index)
        while True:
            match await self._events.get():
                case CandidateFound() as found:
                    await peer.add_candidate(found.candidate, found.mid, found.index)
                case _:
                    pass


async def _print(number: int) -> None:
    await asyncio.sleep(_SETTLES_S)
    # Closed connections are cycles, which wait for the collector as long as it likes.
    gc.collect()
    found = usage(os.getpid(), len(asyncio.all_tasks()))
    line = {"peers": number, "objects": len(gc.get_objects()), **asdict(found)}
    print(json.dumps(line), flush=True)  # noqa: T201 - it is what this program is for


async def _run(asked: Asked) -> None:
    await Subscriber(asked).run(asked)


def main() -> None:
    """Do what is asked."""
    options = argparse.ArgumentParser()
    for found in fields(Asked):
        options.add_argument(f"--{found.name}", type=found.type, required=True)
    asyncio.run(_run(Asked(**vars(options.parse_args()))))


if __name__ == "__main__":
    main()
