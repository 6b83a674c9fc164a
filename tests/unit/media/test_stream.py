"""Tests of `livebot.media.stream`."""

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.media.frame import RATE_HZ, Frame, PacketCounts
from livebot.media.jitter import PATIENCE_S, WINDOW
from livebot.media.opus import fec_samples
from livebot.media.rtp import Packet
from livebot.media.stream import BURST, MAX_GUESS, PACE, AudioStream
from tests.support.opus import Encoding, encode
from tests.support.voice import VOICE, snr_db

OPUS, OTHER = 111, 126
COUNT = 60
LENGTH = 960
PAYLOADS = list(encode(VOICE[: COUNT * 960]))
WITHOUT_COPIES = list(encode(VOICE[: COUNT * 960], Encoding(fec=False)))


def packets(
    payloads: list[bytes] = PAYLOADS, *, start: int = 0, samples: int = 960
) -> list[Packet]:
    """Return the packets of a stream without pauses."""
    return [
        Packet(1, (65_500 + n) % 2**16, (start + n * samples) % 2**32, OPUS, payload)
        for n, payload in enumerate(payloads)
    ]


def stream() -> tuple[AudioStream, PacketCounts]:
    """Return a stream that takes Opus, and where it counts."""
    counts = PacketCounts()
    made = AudioStream(counts)
    made.payload_types = frozenset({OPUS})
    return made, counts


def run(arriving: Iterable[Packet]) -> tuple[list[Frame], PacketCounts]:
    """Return what comes of packets that arrive at once, and the account."""
    made, counts = stream()
    frames = [frame for packet in arriving for frame in made.push(packet, 0.0)]
    return [*frames, *made.tick(PATIENCE_S)], counts


def audio(frames: list[Frame], origin: int = 0) -> Samples:
    """Return the samples at their times, zeros where there are none."""
    out = np.zeros(frames[-1].pts + len(frames[-1].samples) - origin, dtype=np.float32)
    for frame in frames:
        out[frame.pts - origin :][: len(frame.samples)] = frame.samples
    return out


def missing(frames: list[Frame]) -> list[int]:
    """Return the steps in time from each frame's end to the next one's start."""
    return [b.pts - a.pts - len(a.samples) for a, b in itertools.pairwise(frames)]


CLEAN = audio(run(packets())[0])


@given(
    st.lists(st.integers(0, WINDOW), min_size=COUNT, max_size=COUNT), st.sets(st.integers(0, 59))
)
@settings(max_examples=20)
def test_disorder_and_duplicates_change_no_sample(delays: list[int], doubled: set[int]) -> None:
    """Within the window the same audio comes out as in order, to the bit."""
    order = sorted(range(1, COUNT), key=lambda n: n + delays[n])
    sent = packets()
    arriving = [sent[0], *(sent[n] for n in order), *(sent[n] for n in doubled)]

    frames, counts = run(arriving)

    assert np.array_equal(audio(frames), CLEAN)
    assert counts == PacketCounts(received=COUNT, duplicate=len(doubled))


@given(
    st.lists(st.sampled_from([True, True, True, False]), min_size=COUNT - 2, max_size=COUNT - 2),
    st.sampled_from([PAYLOADS, WITHOUT_COPIES]),
    st.booleans(),
)
@settings(max_examples=30)
def test_whatever_is_lost_time_and_packets_are_accounted_for(
    came: list[bool], payloads: list[bytes], garbled: bool
) -> None:
    """Each lost packet is restored, concealed or lost; each missing sample is told as lost.

    A packet that cannot be decoded is as good as lost.
    """
    sent = packets(payloads)
    arriving = [sent[0], *itertools.compress(sent[1:-1], came), sent[-1]]
    if garbled:
        spoilt = [Packet(p.ssrc, p.sequence_number, p.timestamp, OPUS, b"\xff") for p in sent]
        arriving = [
            sent[0],
            *(p if ok else bad for p, bad, ok in zip(sent[1:-1], spoilt[1:-1], came, strict=True)),
            sent[-1],
        ]

    frames, counts = run(arriving)

    assert missing(frames) == [frame.lost for frame in frames[1:]]
    assert frames[-1].pts + len(frames[-1].samples) == COUNT * 960
    assert counts.received == 2 + sum(came)
    assert counts.restored + counts.concealed + counts.lost == came.count(False)
    assert counts.lost * 960 == sum(frame.lost for frame in frames)
    assert sum(len(f.samples) for f in frames if f.concealed) == counts.concealed * 960


def _single_losses(payloads: list[bytes]) -> tuple[list[Frame], PacketCounts, list[int]]:
    """Lose each tenth packet; return also where."""
    lost = list(range(5, COUNT - 1, 10))
    frames, counts = run(p for n, p in enumerate(packets(payloads)) if n not in lost)
    return frames, counts, lost


def test_a_lost_packet_is_restored_from_the_next_one() -> None:
    """Where that carries a copy; a guess elsewhere. Restored speech is nearer to what was said."""
    frames, counts, lost = _single_losses(PAYLOADS)
    copied = [n for n in lost if fec_samples(PAYLOADS[n + 1])]

    assert len(copied) > 1
    assert counts == PacketCounts(
        received=COUNT - len(lost), restored=len(copied), concealed=len(lost) - len(copied)
    )
    assert {f.pts // 960 for f in frames if f.concealed} == set(lost) - set(copied)

    def quality(frames: list[Frame]) -> float:
        out = audio(frames)
        places = np.concatenate([np.arange(n * 960, (n + 1) * 960) for n in copied])
        return snr_db(out[places], CLEAN[places])

    guessed = _single_losses(WITHOUT_COPIES)
    assert guessed[1].concealed == len(lost)
    assert quality(frames) > 3 + quality(guessed[0])
    assert quality(frames) > 3


def test_a_long_loss_is_guessed_at_the_beginning_only() -> None:
    """A hundred milliseconds, then nothing; how much is missing is said with what follows."""
    sent = packets(WITHOUT_COPIES)
    frames, counts = run([*sent[:20], *sent[40:]])

    guess, after = frames[20], frames[21]
    assert (guess.concealed, guess.pts, len(guess.samples)) == (True, 20 * 960, MAX_GUESS)
    assert (after.concealed, after.pts, after.lost) == (False, 40 * 960, 15 * 960)
    assert counts == PacketCounts(received=40, concealed=5, lost=15)


def test_the_copy_closes_a_longer_loss_from_behind() -> None:
    """Guesses first, then nothing, then the copy of the last one that was lost."""
    behind = next(n for n in range(30, COUNT) if fec_samples(PAYLOADS[n]))
    sent = packets()
    frames, counts = run([*sent[:10], *sent[behind:]])

    guess, copy, after = frames[10:13]
    assert (guess.concealed, guess.pts, len(guess.samples)) == (True, 9600, MAX_GUESS)
    assert (copy.concealed, copy.pts) == (False, (behind - 1) * 960)
    assert copy.lost == (behind - 16) * 960
    assert (after.pts, after.lost) == (behind * 960, 0)
    assert counts.restored == 1


def test_what_was_not_sent_is_no_loss() -> None:
    """A step in time without one in the count is a pause (DTX): nothing is made up for it."""
    sent = packets()
    later = [Packet(1, p.sequence_number, p.timestamp + 48_000, OPUS, p.payload) for p in sent]
    frames, counts = run([*sent[:30], *later[30:]])

    assert max(missing(frames)) == 48_000
    assert sum(frame.lost for frame in frames) == 0
    assert counts == PacketCounts(received=COUNT)


def test_a_loss_in_a_pause_is_as_long_as_its_packet() -> None:
    """One packet lost in a second in which nothing else was sent is 20 ms of loss."""
    sent = packets(WITHOUT_COPIES)
    later = [Packet(1, p.sequence_number, p.timestamp + 48_000, OPUS, p.payload) for p in sent]
    frames, counts = run([*sent[:30], *later[31:]])

    assert frames[30].concealed
    assert len(frames[30].samples) == 960
    assert sum(frame.lost for frame in frames) == 0
    assert counts == PacketCounts(received=COUNT - 1, concealed=1)


@pytest.mark.parametrize("frame_ms", [2.5, 10, 40, 60, 120])
def test_packets_of_any_length_are_made_up_for(frame_ms: float) -> None:
    """One of ten is lost: restored or guessed, as far as a guess goes."""
    length = round(frame_ms * 48)
    payloads = list(encode(VOICE[: 60 * length], Encoding(frame_ms=frame_ms)))
    sent = packets(payloads, samples=length)
    frames, counts = run(p for n, p in enumerate(sent) if n % 10 != 5)

    assert missing(frames) == [frame.lost for frame in frames[1:]]
    assert (counts.restored + counts.concealed, counts.lost) == (len(payloads) // 10, 0)
    # The longest packets are longer than a guess.
    untold = max(0, length - MAX_GUESS) * counts.concealed
    assert sum(frame.lost for frame in frames) == untold


def test_time_does_not_wrap() -> None:
    """RTP's 32 bits end in the middle of a word; time goes on."""
    frames, _ = run(packets(start=2**32 - 10 * 960))

    assert frames[0].pts == 2**32 - 10 * 960
    assert set(missing(frames)) == {0}
    assert np.array_equal(audio(frames, frames[0].pts), CLEAN)


def test_what_is_no_audio_only_has_its_place() -> None:
    """Padding, and the tones of a telephone under the same count: no loss, no sound."""
    sent = packets()
    arriving = []
    for n, p in enumerate(sent):
        arriving.append(Packet(1, (65_500 + 2 * n) % 2**16, p.timestamp, OPUS, p.payload))
        number, (kind, payload) = 65_501 + 2 * n, ((OPUS, b""), (OTHER, b"\0\0\0\0"))[n % 2]
        arriving.append(Packet(1, number % 2**16, p.timestamp, kind, payload))
    frames, counts = run(arriving)

    assert np.array_equal(audio(frames), CLEAN)
    assert counts == PacketCounts(received=2 * COUNT)


@given(st.lists(st.tuples(st.integers(-4, 6), st.integers(-3000, 9000), st.binary(max_size=40))))
def test_no_nonsense_does_harm(packets_: list[tuple[int, int, bytes]]) -> None:
    """Any payloads under any numbers and times: no error, frames of sound lengths."""
    made, counts = stream()
    number = timestamp = 2**15
    for count, (step, later, payload) in enumerate(packets_):
        number, timestamp = (number + step) % 2**16, (timestamp + later) % 2**32
        for frame in made.push(Packet(1, number, timestamp, OPUS, payload), count * 0.02):
            assert 0 < len(frame.samples) <= 5760
            assert frame.lost >= 0
    assert min(counts.restored, counts.concealed, counts.lost) >= 0


def test_a_held_packet_comes_out_when_none_follows() -> None:
    """After the last packet behind a hole nothing else has to come."""
    made, _ = stream()
    sent = packets(WITHOUT_COPIES)
    for packet in (sent[0], sent[2]):
        made.push(packet, 5.0)

    assert made.deadline == 5.0 + PATIENCE_S
    assert [frame.concealed for frame in made.tick(5.0 + PATIENCE_S)] == [True, False]


def test_another_stream_is_decoded_from_its_beginning() -> None:
    """A new source: no guess between the two, and the same samples as if it were the first."""
    sent = packets()
    other = [Packet(2, p.sequence_number, p.timestamp, OPUS, p.payload) for p in sent]

    frames, counts = run([*sent[:30], *other])

    assert np.array_equal(audio(frames[30:]), CLEAN)
    assert counts == PacketCounts(received=30 + COUNT)


def test_packets_that_say_nothing_are_told_when_another_stream_begins() -> None:
    """Each that could not be decoded is counted, though no other of its stream came."""
    garbled = [Packet(1, n, n * LENGTH, OPUS, b"\xff\xff") for n in range(30)]
    other = [Packet(2, p.sequence_number, p.timestamp, OPUS, p.payload) for p in packets()]

    _, counts = run([*garbled, *other])

    assert counts == PacketCounts(received=COUNT, lost=30)


def test_a_flood_of_audio_is_decoded_at_little_more_than_the_pace_of_speech() -> None:
    """What comes faster is lost, and told; who speaks on at the usual pace is heard again."""
    made, _ = stream()
    flood = [n * 0.001 for n in range(10_000)]
    speech = [60 + n * 0.02 for n in range(100)]
    frames: list[list[Frame]] = []
    for n, now in enumerate([*flood, *speech]):
        packet = Packet(1, n % 2**16, n * LENGTH, OPUS, PAYLOADS[0])
        frames.append(made.push(packet, now))

    flooded = sum(len(frame.samples) for each in frames[: len(flood)] for frame in each)
    assert flooded <= BURST + PACE * RATE_HZ * flood[-1] + MAX_GUESS + LENGTH
    assert all(len(each) == 1 for each in frames[-len(speech) + 1 :])
    every = [frame for each in frames for frame in each]
    assert sum(len(frame.samples) + frame.lost for frame in every) == len(frames) * LENGTH
