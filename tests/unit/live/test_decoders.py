"""Tests of the decoders of `livebot.live`: any cutting gives the same, garbage is refused."""

import io
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.errors import RequestError
from livebot.live.decoder import Decoder
from livebot.live.decoders import decoder_for
from livebot.live.options import ENCODINGS, LiveOptions, from_query
from livebot.live.pcm import FORMATS
from tests.support.opus import encode
from tests.support.voice import VOICE, correlation

SOUND = VOICE[:48_000]
FEW = settings(max_examples=25)
CONTAINERS = ("webm", "ogg", "wav")


def decoded(decoder: Decoder, *messages: bytes) -> Samples:
    """Return all that some messages hold."""
    found = [samples for data in messages for samples in decoder.feed(data)]
    return np.concatenate([*found, decoder.flush()])


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Cut data into messages of these sizes, again and again."""
    at = number = 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        yield data[at : at + size]
        at, number = at + size, number + 1


@cache
def packets() -> tuple[bytes, ...]:
    """Return the packets of some speech."""
    return tuple(encode(SOUND))


@cache
def container(kind: str, channels: int = 1) -> bytes:
    """Return some speech as FFmpeg writes it to a pipe."""
    file = io.BytesIO()
    file.seekable = lambda: False  # type: ignore[method-assign]
    codec = "pcm_s16le" if kind == "wav" else "libopus"
    options = {"live": "1", "cluster_time_limit": "300"} if kind == "webm" else {}
    with av.open(file, "w", format=kind, container_options=options) as out:
        stream: Any = out.add_stream(
            codec, rate=48_000, layout="mono" if channels == 1 else "stereo"
        )
        for at in range(0, len(SOUND), 960):
            block = (SOUND[at : at + 960] * 32767).astype(np.int16)
            data = np.repeat(block, channels).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(
                data, format="s16", layout="mono" if channels == 1 else "stereo"
            )
            frame.sample_rate, frame.pts = 48_000, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


@cache
def whole(kind: str) -> Samples:
    """Return what a container holds, fed at once."""
    return decoded(decoder_for(LiveOptions(encoding=kind)), container(kind))


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("is_named", [True, False])
def test_containers_hold_what_was_recorded(kind: str, channels: int, is_named: bool) -> None:
    """What FFmpeg writes as browsers do is heard. Spec: live-sessions/Audio."""
    options = LiveOptions(encoding=kind if is_named else "auto")
    heard = decoded(decoder_for(options), container(kind, channels))

    spoken = decoded(decoder_for(LiveOptions(encoding="pcm_f32le")), SOUND.tobytes())
    assert correlation(heard, spoken) > 0.95
    assert abs(len(heard) - len(spoken)) < RATE_HZ * 0.03


def test_packets_hold_what_was_encoded() -> None:
    """One packet per message."""
    heard = decoded(decoder_for(LiveOptions(encoding="opus")), *packets())

    spoken = decoded(decoder_for(LiveOptions(encoding="pcm_f32le")), SOUND.tobytes())
    assert correlation(heard, spoken) > 0.95


@pytest.mark.parametrize("kind", CONTAINERS)
@FEW
@given(sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_any_cutting_of_a_container_gives_the_same(kind: str, sizes: list[int]) -> None:
    """Nothing depends on where messages end. Spec: live-sessions/Audio."""
    messages = cut(container(kind), sizes)

    heard = decoded(decoder_for(LiveOptions(encoding=kind)), *messages)
    assert len(heard) == len(whole(kind))
    assert np.allclose(heard, whole(kind), atol=1e-4)


@FEW
@given(
    encoding=st.sampled_from(sorted(FORMATS)),
    channels=st.integers(1, 3),
    sizes=st.lists(st.integers(1, 999), min_size=1, max_size=20),
    seed=st.integers(0, 99),
)
def test_any_cutting_of_raw_audio_gives_the_same(
    encoding: str, channels: int, sizes: list[int], seed: int
) -> None:
    """Half a sample waits for its other half."""
    size = FORMATS[encoding][0] * channels
    data = np.random.default_rng(seed).bytes(size * 3000)
    options = LiveOptions(encoding=encoding, channels=channels, rate_hz=16_000)

    once, cut_up = (
        decoded(decoder_for(options), data),
        decoded(decoder_for(options), *cut(data, sizes)),
    )
    assert len(once) == len(cut_up) == 4500
    assert np.all(np.isfinite(once))
    assert np.max(np.abs(once)) <= 1
    # Channels are faded in where messages end.
    assert channels > 1 or np.allclose(once, cut_up, atol=1e-4)


@FEW
@given(data=st.data(), kind=st.sampled_from([*CONTAINERS, "auto", "opus"]))
def test_garbage_is_refused_and_nothing_else_happens(data: st.DataObject, kind: str) -> None:
    """Broken containers raise what is documented, wherever they are broken."""
    decoder = decoder_for(LiveOptions(encoding=kind))
    source = container(data.draw(st.sampled_from(CONTAINERS)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, 3000))
        piece = source[at : at + data.draw(st.integers(0, 3000))]
        junk = data.draw(st.binary(max_size=40))
        begin = source[: data.draw(st.sampled_from([0, 0, 60, 300, 900]))]
        try:
            found = list(decoder.feed(begin + junk + piece))
        except RequestError:
            return
        assert all(np.all(np.abs(samples) <= 1) for samples in found)


@FEW
@given(noise=st.binary(max_size=3000))
def test_noise_is_refused(noise: bytes) -> None:
    """As above, without anything sensible."""
    for encoding in ENCODINGS:
        with suppress(RequestError):
            list(decoder_for(LiveOptions(encoding=encoding)).feed(noise))


@pytest.mark.parametrize("kind", CONTAINERS[:2])
def test_a_recorder_that_is_started_anew(kind: str) -> None:
    """A second file after the first goes on where that ended."""
    data = container(kind)
    heard = decoded(decoder_for(LiveOptions(encoding="auto")), data, data)

    assert abs(len(heard) - 2 * len(whole(kind))) < 10


def test_samples_that_are_no_numbers() -> None:
    """They are silence, and what is too loud is cut."""
    data = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5], np.float32).tobytes()
    heard = decoded(decoder_for(LiveOptions(encoding="pcm_f32le", rate_hz=24_000)), data)

    assert heard.tolist() == [0, 0, 0, 1, -1, 0.5]


@pytest.mark.parametrize(("encoding", "codec"), [("mulaw", "pcm_mulaw"), ("alaw", "pcm_alaw")])
def test_g711_is_what_ffmpeg_makes_of_it(encoding: str, codec: str) -> None:
    """Every byte means what it means elsewhere."""
    codes = bytes(range(256))
    frames: Any = av.CodecContext.create(codec, "r")
    frames.sample_rate, frames.layout = 8000, "mono"
    expected = frames.decode(av.Packet(codes))[0].to_ndarray().reshape(-1) / 32768

    heard = FORMATS[encoding][1](codes)
    assert np.allclose(heard, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\0\0\0\x20ftypisom\0\0\0\0", "MP4"),
        (b"ID3\x04\0\0\0\0\0\0\0\0\0", "neither"),
        (b"OggS\0\x02" + bytes(20) + b"\x01\x07\x01vorbis", "Opus"),
    ],
)
def test_what_is_not_had_is_named(data: bytes, says: str) -> None:
    """Who records something else learns what to record."""
    with pytest.raises(RequestError, match=says):
        list(decoder_for(LiveOptions()).feed(data))


def test_hours_in_one_message_are_given_out_bit_by_bit() -> None:
    """A message of tiny packets of silence is no reason to hold up everybody."""
    page = container("ogg")
    head = page[: page.index(b"OggS", page.index(b"OpusTags"))]
    silence = b"OggS\0\0" + bytes(8) + head[14:18] + bytes(8) + b"\xff" + b"\x01" * 255
    message = head + (silence + b"\xf8" * 255) * 200

    decoder = decoder_for(LiveOptions(encoding="ogg"))
    first = [len(samples) for samples, _ in zip(decoder.feed(message), range(100), strict=False)]
    assert max(first) <= RATE_HZ * 0.4


@pytest.mark.parametrize(
    "query",
    [
        {"encoding": "mp3"},
        {"rate": "7999"},
        {"rate": "1e4"},
        {"channels": "9"},
        {"interim": "maybe"},
        {"title": "x" * 201},
        {"speaker": "a\nb"},
    ],
)
def test_options_that_make_no_sense(query: dict[str, str]) -> None:
    """They are refused with what would do."""
    with pytest.raises(RequestError, match=next(iter(query))):
        from_query(query)


def test_options_of_an_address() -> None:
    """What is not named is as usual."""
    assert from_query({}) == LiveOptions()
    found = from_query({"encoding": "MULAW", "rate": "8000", "interim": "0", "store": "true"})
    assert found == LiveOptions(encoding="mulaw", rate_hz=8000, interim=False, store=True)
