"""Tests of `livebot.rooms.recorder` and `livebot.rooms.ogg`."""

import io
from itertools import pairwise

import av
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.audio.pipeline import Chunk
from livebot.rooms import ogg
from livebot.rooms.recorder import PAUSE_S, PIECE_S, Piece, Recorder

CHUNK = RATE_HZ // 5
JUMP_S = 3.0


def tone(count: int = CHUNK) -> Samples:
    """Return sound."""
    return (np.sin(np.arange(count) / 9) * 0.25).astype(np.float32)


def recorded(kinds: list[str]) -> tuple[list[Piece], float]:
    """Feed chunks: `s` has sound, `-` has none, before `j` the time line jumps."""
    recorder, at, pieces, loud = Recorder(), 0.0, [], 0.0
    for kind in kinds:
        at += JUMP_S if kind == "j" else 0.0
        samples = silence(CHUNK) if kind == "-" else tone()
        loud += 0.2 if kind != "-" else 0.0
        pieces += recorder.feed(Chunk(samples, at))
        at += 0.2
    return [*pieces, *recorder.finish()], loud


@given(st.lists(st.sampled_from(["s", "s", "s", "-", "-", "j"]), max_size=400))
def test_all_that_is_heard_is_in_one_piece(kinds: list[str]) -> None:
    """Pieces do not overlap, are short enough, begin with sound, and lose none."""
    pieces, loud_s = recorded(kinds)

    for piece in pieces:
        length = len(piece.samples) / RATE_HZ
        assert abs(length - (piece.end - piece.start)) < 0.001
        assert length <= PIECE_S + 0.001
        assert np.abs(piece.samples[:CHUNK]).max() > 1000
    for one, other in pairwise(pieces):
        assert one.end <= other.start + 0.001
    heard = sum((np.abs(p.samples.reshape(-1, CHUNK)).max(axis=1) > 1000).sum() for p in pieces)
    assert abs(heard * 0.2 - loud_s) < 0.01


def test_silence_is_not_kept() -> None:
    """Neither alone nor for long between two sounds."""
    assert recorded(["-"] * 100)[0] == []
    first, second = recorded(["s"] * 5 + ["-"] * 200 + ["s"] * 5)[0]
    assert first.end - first.start <= 1.0 + PAUSE_S + 0.3
    assert second.end - second.start <= 1.1


def test_what_is_dropped_is_gone() -> None:
    """Of somebody who is forgotten in the middle of a piece."""
    recorder = Recorder()
    recorder.feed(Chunk(tone(), 0.0))
    recorder.forget()

    assert recorder.finish() == []


def test_a_file_sounds_like_what_was_said() -> None:
    """As long, and of the same pitch and loudness."""
    samples = (tone(RATE_HZ * 2) * 32767).astype(np.int16)

    data = ogg.encode(samples)

    assert data.startswith(b"OggS")
    with av.open(io.BytesIO(data), "r") as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    found = np.concatenate([frame.reshape(-1) for frame in frames])
    assert abs(found.size / rate - 2.0) < 0.05
    spectrum = np.abs(np.fft.rfft(found))
    pitch = spectrum.argmax() * rate / found.size
    assert abs(pitch - RATE_HZ / 9 / (2 * np.pi)) < 5
    assert len(data) < 16_000
