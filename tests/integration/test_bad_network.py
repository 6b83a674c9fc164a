"""The receiving peer behind a bad network: real packets, dropped, doubled, late, in disorder."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from livebot.audio.pcm import Samples
from livebot.media.opus import Decoder, fec_samples
from livebot.media.peer import Frame, PacketCounts, open_peer
from tests.support.link import Link
from tests.support.opus import Encoding, encode
from tests.support.sender import PacketTrack, loopback_only, sender
from tests.support.voice import VOICE, snr_db

LENGTH = 960
COUNT = 300
EVERY_S = 0.004
"""Five times faster than speech."""


@cache
def speech(*, fec: bool) -> tuple[list[bytes], Samples]:
    """Return packets of speech, and what is heard of them without any network."""
    payloads = list(encode(np.resize(VOICE, COUNT * LENGTH), Encoding(fec=fec)))
    decoder = Decoder()
    return payloads, np.concatenate([decoder.decode(p) for p in payloads])


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


@dataclass(frozen=True, slots=True)
class Heard:
    """What came out.

    Attributes:
        frames: They.
        counts: The account of the packets.
        audio: The samples in their places, zeros where there are none.
        places: The packets from the first one on that came; before it, nobody listened yet.
        dropped: Which of them were dropped.
        clean: The samples as they are without losses.
    """

    frames: list[Frame]
    counts: PacketCounts
    audio: Samples
    places: range
    dropped: list[int]
    clean: Samples

    def place(self, frame: Frame) -> range:
        """Return which packets a frame stands for."""
        start = self.places.start + (frame.pts - self.frames[0].pts) // LENGTH
        return range(start, start + len(frame.samples) // LENGTH)

    def quality_db(self, packets: Sequence[int]) -> float:
        """Compare with what would be heard without losses, at these packets."""
        at = np.concatenate([np.arange(n * LENGTH, (n + 1) * LENGTH) for n in packets])
        return snr_db(self.audio[at], self.clean[at])

    def assert_accounted_for(self) -> None:
        """Each packet is one of something, and each sample is there or told as lost."""
        counts, frames = self.counts, self.frames
        made_up = counts.restored + counts.concealed
        assert counts.received == len(self.places) - len(self.dropped)
        assert made_up + counts.lost == len(self.dropped)
        steps = [b.pts - a.pts - len(a.samples) for a, b in itertools.pairwise(frames)]
        assert steps == [frame.lost for frame in frames[1:]]
        samples = sum(len(frame.samples) + frame.lost for frame in frames)
        assert samples == len(self.places) * LENGTH


async def hear(link: Link, *, fec: bool) -> Heard:
    """Send packets over a bad network, and receive."""
    link.harmless_from = COUNT - 10
    payloads, clean = speech(fec=fec)
    track = PacketTrack(payloads, samples=LENGTH, every_s=EVERY_S)
    frames: list[Frame] = []
    async with sender(track) as source, open_peer(()) as peer:
        await source.accept(await peer.answer(await source.offer()))
        link.join(source.pc)
        async with asyncio.timeout(20):
            await peer.connected.wait()
            track.begin.set()
            while not frames or link.place(frames[-1].pts) < (COUNT - 1) * LENGTH:
                frame = await peer.receive()
                assert frame is not None
                frames.append(frame)
    audio = np.zeros(COUNT * LENGTH, dtype=np.float32)
    for frame in frames:
        audio[link.place(frame.pts) :][: len(frame.samples)] = frame.samples
    first = link.place(frames[0].pts) // LENGTH
    dropped = [(number - link.sent[0][0]) % 2**16 for number in link.dropped]
    dropped = [number for number in dropped if number > first]
    return Heard(frames, peer.counts, audio, range(first, COUNT), dropped, clean)


async def test_disorder_and_duplicates_change_nothing() -> None:
    """Each packet up to four places late and a third of them twice: not one sample differs."""
    heard = await hear(Link(doubled=0.3, late=4, seed=1), fec=False)

    heard.assert_accounted_for()
    assert heard.dropped == []
    assert heard.counts.duplicate > 50
    assert heard.quality_db(heard.places[5:]) > 60


@pytest.mark.parametrize(("share", "least_db"), [(0.01, 30), (0.05, 15), (0.2, 8)])
async def test_losses_are_restored_from_the_copies(share: float, least_db: float) -> None:
    """At 1, 5 and 20 %: all samples, each at its time, restored wherever a copy came."""
    heard = await hear(Link(loss=share, late=1, seed=2), fec=True)

    heard.assert_accounted_for()
    payloads, _ = speech(fec=True)
    copied = [
        n for n in heard.dropped if n + 1 not in heard.dropped and fec_samples(payloads[n + 1])
    ]
    assert heard.counts.restored == len(copied)
    assert heard.counts.lost == 0
    assert heard.quality_db(heard.places[5:]) > least_db


@pytest.mark.parametrize(("share", "least_db"), [(0.01, 30), (0.05, 6), (0.2, 2)])
async def test_losses_without_copies_are_concealed(share: float, least_db: float) -> None:
    """All samples, each at its time; said to be guesses."""
    heard = await hear(Link(loss=share, late=1, seed=2), fec=False)

    heard.assert_accounted_for()
    assert heard.counts.concealed == len(heard.dropped) > 0
    guessed = [heard.place(f) for f in heard.frames if f.concealed]
    assert {n for places in guessed for n in places} == set(heard.dropped)
    assert heard.quality_db(heard.places[5:]) > least_db


async def test_a_blackout_is_told() -> None:
    """A second of nothing: guessed for a moment, then said to be missing; the rest is in time."""
    link = Link(blackout=range(100, 150))
    heard = await hear(link, fec=True)

    heard.assert_accounted_for()
    assert heard.counts.lost == 50 - heard.counts.restored - heard.counts.concealed > 40
    assert max(frame.lost for frame in heard.frames) == heard.counts.lost * LENGTH
    assert heard.quality_db(range(160, COUNT)) > 20


async def test_what_waits_for_a_lost_packet_comes_out_when_nothing_follows() -> None:
    """The last packet of all is behind a hole: it is heard all the same."""
    payloads, _ = speech(fec=True)
    track, link = (
        PacketTrack(payloads[:12], samples=LENGTH, every_s=EVERY_S),
        Link(blackout=range(10, 11)),
    )
    async with sender(track) as source, open_peer(()) as peer:
        await source.accept(await peer.answer(await source.offer()))
        link.join(source.pc)
        async with asyncio.timeout(5):
            await peer.connected.wait()
            track.begin.set()
            while (frame := await peer.receive()) and link.place(frame.pts) < 11 * LENGTH:
                pass

    assert frame is not None


async def test_the_sender_learns_what_was_lost() -> None:
    """Receiver reports stay true: from them a media server tells how good a connection is."""
    payloads, _ = speech(fec=True)
    track = PacketTrack(payloads, samples=LENGTH, every_s=EVERY_S)
    link = Link(blackout=range(100, 107))
    async with sender(track) as source, open_peer(()) as peer:
        await source.accept(await peer.answer(await source.offer()))
        link.join(source.pc)
        await peer.connected.wait()
        track.begin.set()

        async def lost() -> int:
            stats = await source.pc.getStats()
            return next((s.packetsLost for s in stats.values() if "remote-in" in s.type), 0)

        async with asyncio.timeout(10):
            while await lost() != 7:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
