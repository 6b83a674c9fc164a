"""Whole sound files of every kind, written by PyAV; broken ones are in `sound_files.py`."""

import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import from_s16_mono
from livebot.audio.resample import Resampler
from tests.support.recorded_speech import FOLDER

SPEECH = "ls_7902"
"""The demo recording that is in the files; two seconds."""

SPEECH_HZ = 16_000

Channels = npt.NDArray[np.float32]
"""Shape `(channels, n)`."""

_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        suffix: What its name ends with.
        container: FFmpeg's name of the container.
        codec: FFmpeg's name of the encoder.
        rates: The rates it can have; any where empty.
        channels: How many it may have.
        is_exact: Whether no sample is changed, beyond 16 bits.
        pads_s: How much longer it may become.
        codec_options: FFmpeg's.
    """

    suffix: str
    container: str
    codec: str
    rates: Sequence[int] = ()
    channels: Sequence[int] = (1, 2, 8)
    is_exact: bool = False
    pads_s: float = 0.0
    codec_options: Mapping[str, str] = field(default_factory=dict)


_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
_AAC_RATES = (8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000)

KINDS = {
    "wav": Kind(".wav", "wav", "pcm_s16le", is_exact=True),
    "wav8": Kind(".wav", "wav", "pcm_u8"),
    "wav24": Kind(".wav", "wav", "pcm_s24le", is_exact=True),
    "wav32": Kind(".wav", "wav", "pcm_s32le", is_exact=True),
    "wav-float": Kind(".wav", "wav", "pcm_f32le", is_exact=True),
    "wav-double": Kind(".wav", "wav", "pcm_f64le", is_exact=True),
    "wav-mulaw": Kind(".wav", "wav", "pcm_mulaw"),
    "w64": Kind(".w64", "w64", "pcm_s16le", is_exact=True),
    "aiff": Kind(".aiff", "aiff", "pcm_s16be", is_exact=True),
    "au": Kind(".au", "au", "pcm_s16be", is_exact=True),
    "caf": Kind(".caf", "caf", "pcm_s16le", is_exact=True),
    "flac": Kind(".flac", "flac", "flac", is_exact=True),
    "alac": Kind(".m4a", "mp4", "alac", channels=(1, 2), is_exact=True),
    "mp3": Kind(".mp3", "mp3", "libmp3lame", _MP3_RATES, (1, 2), pads_s=0.14),
    "opus": Kind(".opus", "ogg", "libopus", _OPUS_RATES, (1, 2)),
    "vorbis": Kind(
        ".ogg",
        "ogg",
        "vorbis",
        (44_100, 48_000),
        (2,),
        pads_s=0.06,
        codec_options={"strict": "-2"},
    ),
    "m4a": Kind(".m4a", "mp4", "aac", _AAC_RATES, pads_s=0.13),
    "aac": Kind(".aac", "adts", "aac", _AAC_RATES, pads_s=0.26),
    "webm": Kind(".webm", "webm", "libopus", _OPUS_RATES, (1, 2)),
    "mka": Kind(".mka", "matroska", "flac", is_exact=True),
    "ts": Kind(".ts", "mpegts", "aac", (44_100, 48_000), pads_s=0.06),
    "amr": Kind(".amr", "amr", "libopencore_amrnb", (8_000,), (1,), pads_s=0.05),
    "wma": Kind(
        ".wma", "asf", "wmav2", (44_100,), (1, 2), pads_s=0.2, codec_options={"b": "96000"}
    ),
    "ac3": Kind(".ac3", "ac3", "ac3", (48_000,), (1, 2, 6), pads_s=0.06),
    "avi": Kind(".avi", "avi", "libmp3lame", (44_100, 48_000), (1, 2), pads_s=0.11),
}


def tone(rate_hz: int, seconds: float, *, hz: float = 440.0, channels: int = 1) -> Channels:
    """Return a sine at half of full scale, the same on all channels."""
    time = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.tile((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32), (channels, 1))


@cache
def speech(rate_hz: int = SPEECH_HZ) -> Channels:
    """Return `SPEECH` on one channel."""
    with wave.open(str(FOLDER / f"{SPEECH}.wav")) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        resampler = Resampler(file.getframerate(), rate_hz)
        samples = from_s16_mono(raw)
    whole = np.concatenate([resampler.push(samples), resampler.flush()])
    return whole[np.newaxis, :]


SPEECH_S = speech().shape[1] / SPEECH_HZ


def write(
    path: Path,
    audio: Channels,
    rate_hz: int,
    kind: Kind,
    *,
    jumps: Mapping[float, float] | None = None,
    picture_s: float = 0.0,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write a sound file.

    Args:
        path: Where.
        audio: What is in it.
        rate_hz: Its rate.
        kind: How.
        jumps: Where the file's times jump, and how far, in seconds: nothing is there in between.
        picture_s: How long a film is with it.
        options: FFmpeg's for the container.
    """
    with av.open(str(path), "w", format=kind.container, options=dict(options or {})) as container:
        stream: Any = container.add_stream(
            kind.codec,
            rate=rate_hz,
            layout=_LAYOUTS[len(audio)],
            options=dict(kind.codec_options),
        )
        picture = _picture(container) if picture_s else None
        for frame in _picture_frames(picture_s):
            container.mux(picture.encode(frame) if picture else [])
        for packet in _encoded(stream, audio, rate_hz):
            _shift(packet, jumps or {})
            container.mux(packet)
        container.mux(picture.encode(None) if picture else [])
    return path


def _encoded(stream: Any, audio: Channels, rate_hz: int) -> list[Any]:
    packets = []
    for start in range(0, audio.shape[1], 1024):
        part = audio[:, start : start + 1024].T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout=_LAYOUTS[len(audio)])
        frame.sample_rate = rate_hz
        frame.pts = start
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _shift(packet: Any, jumps: Mapping[float, float]) -> None:
    if not jumps:
        return
    time_s = float(packet.pts * packet.time_base)
    moved = sum(far for at, far in jumps.items() if time_s >= at)
    packet.pts = packet.dts = packet.pts + round(moved / packet.time_base)


def _picture(container: Any) -> Any:
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    return stream


def _picture_frames(seconds: float) -> Iterator[av.VideoFrame]:
    for number in range(round(seconds * 10)):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = number
        frame.time_base = Fraction(1, 10)
        yield frame
