"""The receiving peer against a real sending one, over real sockets.

Spec: audio-ingest/Speakers are received over WebRTC
"""

import asyncio
import itertools
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from aioice import stun
from aiortc.codecs.opus import OpusEncoder
from cryptography.hazmat.primitives.asymmetric import rsa

from livebot.errors import MediaError
from livebot.media.ice import IcePolicy, configuration
from livebot.media.peer import MAX_CANDIDATES, RATE_HZ, Frame, Peer, open_peer
from livebot.settings import IceServer
from tests.support.sender import PacketTrack, Sender, ToneTrack, loopback_only, sender
from tests.support.turn import turn_server
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


async def _negotiate(source: Sender, peer: Peer) -> str:
    answer = await peer.answer(await source.offer())
    await source.accept(answer)
    async with asyncio.timeout(10):
        await peer.connected.wait()
    return answer


async def _frames(peer: Peer, count: int) -> list[Frame]:
    frames: list[Frame] = []
    async with asyncio.timeout(10):
        while len(frames) < count and (frame := await peer.receive()) is not None:
            frames.append(frame)
    return frames


def _frequency(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * RATE_HZ / len(samples)


async def test_a_tone_arrives_as_mono_48_khz() -> None:
    """The samples are the sender's tone, in [-1, 1], each frame 20 ms after the last."""
    async with sender() as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        frames = await _frames(peer, 30)

    assert {len(frame.samples) for frame in frames} == {960}
    assert {b.pts - a.pts for a, b in itertools.pairwise(frames)} == {960}
    tone = np.concatenate([frame.samples for frame in frames[10:]])
    assert tone.dtype == np.float32
    assert _frequency(tone) == pytest.approx(440, abs=5)
    assert 0.2 < np.max(np.abs(tone)) <= 1.0


async def test_what_was_not_sent_shows_in_the_time() -> None:
    """A pause of half a second without packets is a step in `pts`, not missing time."""
    async with sender(ToneTrack(gaps=range(20, 45))) as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        frames = await _frames(peer, 30)

    steps = [b.pts - a.pts for a, b in itertools.pairwise(frames)]
    assert max(steps) == pytest.approx(26 * 960, abs=960)


async def test_a_peer_knows_how_long_nothing_came() -> None:
    """A sender without audio still sends RTCP: the age of the audio grows, of the path not."""
    async with sender(ToneTrack(gaps=range(10, 10_000))) as source, open_peer(()) as peer:
        assert (peer.audio_age_s, peer.path_age_s) == (math.inf, math.inf)
        await _negotiate(source, peer)
        await _frames(peer, 3)
        assert max(peer.path_age_s, peer.audio_age_s) < 1
        await until(lambda: peer.audio_age_s > 1 > peer.path_age_s)


async def test_packets_that_cannot_be_decoded_are_no_audio() -> None:
    """Whoever looks how long none has come is not told that all is well."""
    track = PacketTrack([b"\xff\xff"] * 20, samples=960, every_s=0.004)
    async with sender(track) as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        track.begin.set()
        await until(lambda: peer._audio._stream._missing > 10)
        assert peer.audio_age_s == math.inf
        assert peer.path_age_s < 1


async def test_datagrams_of_strangers_end_nothing() -> None:
    """Whoever guesses the port can send anything, nothing at all included."""
    async with sender() as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        await _frames(peer, 3)
        transport = peer._pc.getTransceivers()[0].receiver.transport.transport
        (protocol,) = transport._connection._protocols
        address = protocol.transport.get_extra_info("sockname")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for datagram in (b"", b"\x80", b"\x14\x03", b"\x80" * 30, b"\0" * 30):
                stranger.sendto(datagram, address)
        assert len(await _frames(peer, 10)) == 10
        assert not peer.has_ended


async def test_packets_without_audio_do_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Padding and nonsense among the packets cost themselves, not what follows."""
    encode, numbers = OpusEncoder.encode, itertools.count()

    def spoilt(encoder: OpusEncoder, *args: Any, **kwargs: Any) -> tuple[list[bytes], int]:
        packets, timestamp = encode(encoder, *args, **kwargs)
        bad = {10: b"", 12: b"\xff", 14: b"\xff" * 30}.get(next(numbers))
        return (packets if bad is None else [bad]), timestamp

    monkeypatch.setattr(OpusEncoder, "encode", spoilt)
    async with sender() as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        frames = await _frames(peer, 30)

    assert _frequency(np.concatenate([f.samples for f in frames[15:]])) == pytest.approx(
        440, abs=5
    )


async def test_video_is_declined() -> None:
    """An offer with video is answered inactive for it, and audio flows."""
    async with sender(video=True) as source, open_peer(()) as peer:
        answer = await _negotiate(source, peer)
        frames = await _frames(peer, 3)

    video = answer[answer.index("m=video") :]
    assert "a=inactive" in video
    assert len(frames) == 3


async def test_video_of_unknown_codecs_does_not_cost_the_audio() -> None:
    """Aiortc knows neither VP9 nor AV1; the audio of such a camera is heard all the same."""
    async with sender(video=True) as source, open_peer(()) as peer:
        offer = (await source.offer()).replace("VP8/90000", "VP9/90000")
        offer = offer.replace("H264/90000", "AV1/90000")
        answer = await peer.answer(offer)

    assert "m=audio" in answer


async def test_a_renegotiation_keeps_the_audio() -> None:
    """A second offer on the same peer is answered, and the same audio goes on."""
    async with sender() as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        before = await _frames(peer, 5)
        await source.accept(await peer.answer(await source.offer()))
        after = await _frames(peer, 5)

    assert after[0].pts > before[-1].pts


async def test_a_flood_of_candidates_is_refused() -> None:
    """By their number, repetitions apart: aioice would check every one of them."""
    async with sender() as source, open_peer(()) as peer:
        lines = (await source.offer()).splitlines()
        bare = "\r\n".join(line for line in lines if "candidate" not in line) + "\r\n"
        flood = [f"candidate:{n} 1 udp 1 10.0.0.{n} 9 typ host" for n in range(MAX_CANDIDATES + 1)]
        with pytest.raises(MediaError, match="too large"):
            await peer.answer(bare + "".join(f"a={line}\r\n" for line in flood))
        await peer.answer(bare)
        for candidate in flood[:-1] * 2:
            await peer.add_candidate(candidate, "0", 0)
        with pytest.raises(MediaError, match="too many"):
            await peer.add_candidate(flood[-1], "0", 0)


async def test_candidates_may_come_after_the_offer() -> None:
    """An offer without candidates, as Janus sends it, connects by those that follow."""
    async with sender() as source, open_peer(()) as peer:
        offer = await source.offer()
        lines = offer.splitlines()
        candidates = [line.removeprefix("a=") for line in lines if line.startswith("a=candidate")]
        bare = "\r\n".join(line for line in lines if "candidate" not in line) + "\r\n"
        await source.accept(await peer.answer(bare))
        for candidate in candidates:
            await peer.add_candidate(candidate, "0", 0)
        frames = await _frames(peer, 3)

    assert candidates
    assert len(frames) == 3


async def test_the_end_of_the_sender_ends_the_audio() -> None:
    """After the sender closed, `receive()` returns None and the peer says it ended."""
    async with open_peer(()) as peer:
        async with sender() as source:
            await _negotiate(source, peer)
            await _frames(peer, 3)
        async with asyncio.timeout(10):
            while await peer.receive() is not None:
                pass
            await peer.ended.wait()

    assert peer.has_ended


async def test_closing_at_any_moment_of_connecting_leaves_nothing() -> None:
    """Sooner or later, in the handshakes or between them; the guard of every test looks."""
    for step in range(60):
        async with sender() as source, open_peer(()) as peer:
            await source.accept(await peer.answer(await source.offer()))
            await asyncio.sleep(step * 0.0015)


async def test_a_dead_turn_server_holds_up_no_goodbye() -> None:
    """The allocation was made, then the server died: closing takes seconds, not a minute."""
    loop = asyncio.get_running_loop()
    async with turn_server() as turn, sender() as source:
        async with open_peer((turn.ice_server,), IcePolicy.RELAY) as peer:
            assert "typ relay" in await peer.answer(await source.offer())
            turn.answers = False
            began = loop.time()

        assert stun.Method.REFRESH in turn.asked
        assert 1 < loop.time() - began < 4


async def test_leaving_while_a_turn_server_is_asked_leaves_nothing() -> None:
    """It never answers, and the speaker leaves before that is noticed."""
    loop = asyncio.get_running_loop()
    async with turn_server(answers=False) as turn, sender() as source:
        offer = await source.offer()
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with open_peer((turn.ice_server,)) as peer, asyncio.timeout(0.3):
                await peer.answer(offer)

        assert stun.Method.ALLOCATE in turn.asked
        assert loop.time() - began < 8


async def test_leaving_while_a_turn_server_answers_gives_its_relay_back() -> None:
    """What it grants a speaker who has just left is not kept."""
    async with turn_server(answers=False) as turn, sender() as source:
        offer = await source.offer()
        async with open_peer((turn.ice_server,)) as peer, asyncio.TaskGroup() as group:
            negotiation = group.create_task(peer.answer(offer))
            await until(lambda: turn.asked)
            turn.answers = True
            negotiation.cancel()

        assert turn.asked[-1] is stun.Method.REFRESH


async def test_no_thread_decodes() -> None:
    """Receiving starts none; the loop's own, which look up names, do not count."""
    async with sender() as source, open_peer(()) as peer:
        before = {thread.name for thread in threading.enumerate()}
        await _negotiate(source, peer)
        await _frames(peer, 3)
        started = {thread.name for thread in threading.enumerate()} - before

    assert not [name for name in started if not name.startswith("asyncio_")]


async def test_audio_in_another_codec_is_said_so() -> None:
    """The text says which one would be understood."""
    async with sender() as source, open_peer(()) as peer:
        offer = (await source.offer()).replace("opus/48000/2", "speex/32000")
        with pytest.raises(MediaError, match="Opus"):
            await peer.answer(offer)


async def test_an_rsa_certificate_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many media servers have one; aiortc alone refuses it."""
    monkeypatch.setattr("aiortc.rtcdtlstransport.ec.generate_private_key", _rsa_key)
    async with sender() as source:
        await source.offer()
        monkeypatch.undo()
        async with open_peer(()) as peer:
            await _negotiate(source, peer)

            assert await _frames(peer, 3)


def _rsa_key(*_args: object) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "offer",
    ["", "nonsense", "v=0", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "v=0\r\nm=\r\n"],
)
async def test_a_broken_offer_is_a_media_error(offer: str) -> None:
    """Whatever the parser trips over leaves as the one documented error."""
    async with open_peer(()) as peer:
        with pytest.raises(MediaError):
            await peer.answer(offer)


async def test_an_offer_broken_anywhere_is_a_media_error_or_accepted() -> None:
    """Each line of a real offer removed, cut short or doubled: any participant can send that.

    Spec: audio-ingest/Speakers are received over WebRTC
    """
    async with sender(video=True) as source:
        source.pc.createDataChannel("data")
        lines = (await source.offer()).splitlines()
    for number, line in enumerate(lines):
        for instead in ([], [line[: len(line) // 2]], [line.partition(":")[0]], [line, line]):
            broken = [*lines[:number], *instead, *lines[number + 1 :]]
            with suppress(MediaError):
                async with open_peer(()) as peer:
                    await peer.answer("\r\n".join(broken) + "\r\n")


async def test_a_broken_renegotiation_leaves_nothing() -> None:
    """A bundle whose first section does not exist takes transports away from under aiortc."""
    async with sender() as source, open_peer(()) as peer:
        await _negotiate(source, peer)
        bundled = (await source.offer()).replace("a=group:BUNDLE 0", "a=group:BUNDLE none 0")
        with pytest.raises(MediaError, match="bundle"):
            await peer.answer(bundled)


async def test_a_huge_offer_is_refused_at_once() -> None:
    """Reading one of a megabyte would hold the loop for half a minute."""
    candidates = "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n" * 20_000
    async with sender() as source, open_peer(()) as peer, asyncio.timeout(1):
        with pytest.raises(MediaError, match="large"):
            await peer.answer(await source.offer() + candidates)


@pytest.mark.parametrize(
    "candidate", ["candidate:", "candidate:1 1 udp", "x y z", "1 2 3 4 5 6 7"]
)
async def test_a_broken_candidate_is_a_media_error_or_nothing(candidate: str) -> None:
    """An empty candidate is the end of them; a broken one is said so."""
    async with sender() as source, open_peer(()) as peer:
        await peer.answer(await source.offer())
        try:
            await peer.add_candidate(candidate, "0", 0)
        except MediaError as exc:
            assert "candidate" in str(exc)  # noqa: PT017 - either outcome is right


async def test_receiving_before_an_offer_is_an_error() -> None:
    """There is nothing to wait for."""
    async with open_peer(()) as peer:
        with pytest.raises(MediaError):
            await peer.receive()


def test_no_server_is_ever_added() -> None:
    """An empty list stays empty: aiortc's own default would ask a public STUN server."""
    assert configuration((), IcePolicy.ALL).iceServers == []


def test_servers_and_policy_are_handed_on() -> None:
    """Addresses and credentials as given, relay only when asked for."""
    server = IceServer(("turn:turn.example:3478?transport=tcp",), "user", "word")

    made = configuration((server,), IcePolicy.RELAY)

    assert made.iceTransportPolicy.value == "relay"
    assert made.iceServers is not None
    assert (made.iceServers[0].username, made.iceServers[0].credential) == ("user", "word")
