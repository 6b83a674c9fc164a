"""Raw samples."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ
from livebot.cli.listening.raw import FORMATS, RawReader, format_of
from livebot.errors import ConfigError, RecordingError


@given(
    st.sampled_from(sorted(FORMATS)),
    st.integers(1, 3),
    st.lists(st.integers(0, 40), max_size=10),
    st.data(),
)
def test_samples_are_the_same_however_they_are_cut(
    form: str, channels: int, cuts: list[int], data: st.DataObject
) -> None:
    """Also in the middle of one. Spec: command-line/Live sound."""
    count = data.draw(st.integers(0, 20)) * channels
    raw = b"\1" + data.draw(st.binary(min_size=400, max_size=400))[1 : FORMATS[form][0] * count]
    whole = RawReader(form, RATE_HZ, channels).push(raw)
    reader = RawReader(form, RATE_HZ, channels)
    parts, rest = [], raw
    for cut in cuts:
        parts.append(reader.push(rest[:cut]))
        rest = rest[cut:]
    parts.append(reader.push(rest))
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert whole.dtype == np.float32
    assert np.abs(whole).max(initial=0) <= 1.0


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("s16le", struct.pack("<2h", -32768, 16384)),
        ("s16be", struct.pack(">2h", -32768, 16384)),
        ("s24le", b"\0\0\x80\0\0\x40"),
        ("s32le", struct.pack("<2i", -(1 << 31), 1 << 30)),
        ("f32le", struct.pack("<2f", -1.0, 0.5)),
        ("u8", b"\x00\xc0"),
    ],
)
def test_each_form(form: str, data: bytes) -> None:
    """Full scale is 1."""
    assert RawReader(form, RATE_HZ, 1).push(data).tolist() == [-1.0, 0.5]


def test_what_is_no_number_is_silence() -> None:
    """And what is too loud is as loud as can be."""
    data = struct.pack("<4f", float("nan"), float("inf"), -7.0, 0.5)
    assert RawReader("f32le", RATE_HZ, 1).push(data).tolist() == [0.0, 1.0, -1.0, 0.5]


def test_channels_are_mixed() -> None:
    """Each as loud as the others."""
    reader = RawReader("s16le", RATE_HZ, 2)
    assert reader.push(struct.pack("<4h", 16384, 0, 16384, -16384)).tolist() == [0.25, 0.0]


def test_another_rate_is_made_ours() -> None:
    """As much sound as came."""
    reader = RawReader("s16le", 8_000, 1)
    samples = len(reader.push(bytes(16_000))) + len(reader.flush())
    assert samples == RATE_HZ


@pytest.mark.parametrize(
    ("begin", "what"), [(b"RIFF\x24\0\0\0WAVE", "WAV"), (b"OggS\0", "Ogg"), (b"ID3\4", "MP3")]
)
def test_a_file_is_no_raw_sound(begin: bytes, what: str) -> None:
    """It would be noise. Spec: command-line/Live sound."""
    with pytest.raises(RecordingError, match=f"{what} file.*livebot transcribe -"):
        RawReader("s16le", 16_000, 1).push(begin)


def test_forms_as_others_spell_them() -> None:
    """FFmpeg and ALSA."""
    assert [format_of(name) for name in ("S16_LE", "s16le", "FLOAT_LE", "U8")] == [
        "s16le",
        "s16le",
        "f32le",
        "u8",
    ]
    with pytest.raises(ConfigError, match=r"--format mp3.*s16le"):
        format_of("mp3")
