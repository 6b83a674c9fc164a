"""Samples without a header."""

import io
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.errors import AudioError
from livebot.recordings.raw import SAMPLE_FORMATS, raw_blocks

SINE: Samples = (0.5 * np.sin(np.arange(8_000) * 0.1)).astype(np.float32)


class Dribble(io.BufferedIOBase):
    """A pipe that gives what it has: as many bytes at once as the list says, then the rest."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = sizes

    def read1(self, size: int = -1, /) -> bytes:
        """Give some."""
        return self._data.read(min(size, self._sizes.pop()) if self._sizes else size)


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
def test_every_format(sample_format: str) -> None:
    """In either order of bytes."""
    kind = SAMPLE_FORMATS[sample_format]
    full = 1.0 if kind.kind == "f" else 2.0 ** (8 * kind.itemsize - 1) - 1
    data = (SINE * full + (128 if kind.kind == "u" else 0)).astype(kind).tobytes()

    blocks = list(raw_blocks(io.BytesIO(data), rate=16_000, sample_format=sample_format))

    assert np.allclose(np.concatenate(blocks), SINE, atol=0.02)
    assert max(map(len, blocks)) <= 1_600


@settings(max_examples=50)
@given(st.lists(st.integers(1, 3_000), max_size=20), st.integers(0, 3))
def test_any_cutting_gives_the_same_samples(sizes: list[int], too_many: int) -> None:
    """Also in the middle of a sample; what is left of one at the end is nothing."""
    stereo = np.stack([SINE, SINE], axis=1).astype("<f4").tobytes()
    pipe = Dribble(stereo + bytes(too_many), sizes)

    blocks = raw_blocks(pipe, rate=16_000, channels=2, sample_format="f32le")

    assert np.allclose(np.concatenate(list(blocks)), SINE, atol=1e-6)


def test_another_rate() -> None:
    """A second stays a second."""
    data = io.BytesIO(np.zeros(48_000, "<i2").tobytes())

    assert sum(map(len, raw_blocks(data, rate=48_000, to_hz=24_000))) == 24_000


def test_what_is_there_comes_at_once() -> None:
    """A microphone waits for nobody: a block comes while the pipe stays open."""
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as pipe, os.fdopen(theirs, "wb", buffering=0) as recorder:
        blocks = raw_blocks(pipe, rate=16_000)
        recorder.write(np.ones(160, "<i2").tobytes())

        assert len(next(blocks)) == 160


@pytest.mark.parametrize(
    ("rate", "channels", "sample_format", "words"),
    [
        (16_000, 1, "mp3", "no sample format 'mp3'; have f32be"),
        (0, 1, "s16le", "no rate of 0 Hz; have 1000 to"),
        (16_000, 0, "s16le", "no 0 channels; have 1 to"),
    ],
)
def test_what_there_is_not(rate: int, channels: int, sample_format: str, words: str) -> None:
    """The error says what there is, before anything is read."""
    with pytest.raises(AudioError, match=words):
        raw_blocks(io.BytesIO(), rate=rate, channels=channels, sample_format=sample_format)
