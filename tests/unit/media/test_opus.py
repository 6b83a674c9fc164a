"""Tests of `livebot.media.opus`."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.errors import MediaError
from livebot.media import opus
from livebot.media.opus import MAX_SAMPLES, STEP, Decoder, fec_samples, is_valid
from tests.support.opus import RATE_HZ, Encoding, encode
from tests.support.voice import VOICE, correlation


def _joined(pieces: Iterable[Samples | None]) -> Samples:
    found = list(pieces)
    return np.concatenate([piece for piece in found if piece is not None])


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60, 80, 100, 120])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("music", [False, True])
def test_packets_of_every_kind_become_mono_at_48_khz(
    frame_ms: float, channels: int, music: bool
) -> None:
    """Of every length, from speech and music, mono and stereo: the same sound at its time."""
    decoder = Decoder()
    encoding = Encoding(frame_ms=frame_ms, channels=channels, music=music)
    length = round(frame_ms * RATE_HZ / 1000)

    packets = list(encode(VOICE[:RATE_HZ], encoding))
    samples = _joined(decoder.decode(packet) for packet in packets)

    assert len(samples) == length * len(packets)
    assert samples.dtype == np.float32
    assert correlation(samples, VOICE) > 0.9


def test_silence_of_a_byte_or_two_is_decoded() -> None:
    """What an encoder with DTX makes of a pause, as far as it is sent at all."""
    decoder = Decoder()
    pause = np.concatenate([VOICE[:RATE_HZ], np.zeros(2 * RATE_HZ, dtype=np.float32)])

    packets = list(encode(pause, Encoding(dtx=True)))
    samples = _joined(decoder.decode(packet) for packet in packets)

    assert sum(len(packet) <= 2 for packet in packets) > 50
    assert len(samples) == 960 * len(packets)
    assert np.abs(samples[-960:]).max() < 0.01


@given(st.binary(max_size=100))
def test_no_nonsense_does_harm(payload: bytes) -> None:
    """Each is decoded or is none, and the next packet is decoded as if nothing had been."""
    decoder, good = Decoder(), next(encode(VOICE[:960]))

    assert fec_samples(payload) <= MAX_SAMPLES
    if payload:
        samples = decoder.decode(payload)
        assert samples is None or 0 < len(samples) <= MAX_SAMPLES
        assert is_valid(payload) or samples is None
    again = decoder.decode(good)
    assert again is not None
    assert len(again) == 960


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=300)
def test_libopus_agrees_on_what_carries_a_copy(payload: bytes) -> None:
    """From 1.5 on it can be asked; its answer for any packet is ours."""
    theirs = opus._library().opus_packet_has_lbrr(payload, len(payload)) > 0

    assert bool(fec_samples(payload)) == theirs


@pytest.mark.parametrize("channels", [1, 2])
def test_copies_are_found_where_the_encoder_makes_them(channels: int) -> None:
    """In most packets of speech with FEC, in none without, in none of music."""
    voice = VOICE[: 2 * RATE_HZ]

    def share(encoding: Encoding) -> float:
        found = [fec_samples(packet) for packet in encode(voice, encoding)]
        assert set(found) <= {0, 960}
        return sum(map(bool, found)) / len(found)

    assert share(Encoding(channels=channels)) > 0.4
    assert share(Encoding(channels=channels, fec=False)) == 0
    assert share(Encoding(channels=channels, music=True)) == 0


def test_nothing_is_restored_right_after_music() -> None:
    """There libopus would guess instead, and that is not to be called restored."""
    decoder = Decoder()
    with_copy = next(p for p in encode(VOICE) if fec_samples(p))
    assert decoder.restorable(with_copy) == 960

    decoder.decode(next(encode(VOICE[:960], Encoding(music=True))))
    assert decoder.restorable(with_copy) == 0


def test_a_guess_is_as_long_as_asked_for() -> None:
    """It continues what was heard, and fades."""
    decoder = Decoder()
    heard = [decoder.decode(packet) for packet in encode(VOICE[:RATE_HZ])][-1]

    guess = decoder.conceal(40 * STEP)

    assert heard is not None
    assert len(guess) == 40 * STEP
    assert 0 < np.abs(guess[:960]).max() < 2 * np.abs(heard).max()
    assert np.abs(guess[-STEP:]).max() < np.abs(guess[:960]).max()


def test_the_systems_library_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where PyAV is not from its wheel, there is another; where there is none, it is said."""
    shipped = next(opus._SHIPPED.glob("libopus-*.so*"))
    monkeypatch.setattr(opus, "_SHIPPED", tmp_path)
    monkeypatch.setattr(opus, "_SYSTEM", str(shipped))
    assert opus._load() is not None

    monkeypatch.setattr(opus, "_SYSTEM", "libopus-that-is-not-there.so")
    monkeypatch.setattr(opus, "_LIBRARY", opus._load())
    with pytest.raises(MediaError, match="libopus"):
        Decoder()
