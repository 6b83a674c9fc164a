"""What FFmpeg may do with a file that nobody vouches for; the only file that opens containers.

It gets a file object and no name, may only take it for a recording of a known kind, may open
nothing else (playlists and the like are no recordings), starts no threads, and looks at the
first megabytes only to find out what it is. Its log goes nowhere, as PyAV has it.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame, AudioLayout
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import format_dtypes
from av.audio.plane import AudioPlane
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition

from livebot.errors import RecordingError
from livebot.recordings.file import Source

FORMATS: Final = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "eac3", "flac", "flv",
    "matroska", "mov", "mp3", "mpeg", "mpegts", "ogg", "tta", "w64", "wav", "wv",
)  # fmt: skip
"""Demuxers by FFmpeg's names; MP4 and M4A are `mov`, WebM is `matroska`, WMA is `asf`."""

CODECS: Final = (
    "aac", "aac_latm", "ac3", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "alac", "amrnb",
    "amrwb", "ape", "dca", "eac3", "flac", "g722", "g726", "gsm", "gsm_ms", "mp1float", "mp2float",
    "mp3float", "nellymoser", "opus", "pcm_alaw", "pcm_bluray", "pcm_dvd", "pcm_f32be",
    "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16le", "pcm_s24be",
    "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_s8", "pcm_u8", "speex", "tta", "vorbis",
    "wavpack", "wmalossless", "wmapro", "wmav1", "wmav2", "wmavoice",
)  # fmt: skip
"""Decoders by FFmpeg's names: of sound only, so that pictures are never decoded."""

LIMITS: Final = {
    "format_whitelist": ",".join(FORMATS),
    "codec_whitelist": ",".join(CODECS),
    "protocol_whitelist": "",
    "probesize": "5000000",
    "analyzeduration": "5000000",
    "max_streams": "64",
}
"""FFmpeg's options for what it opens; five megabytes or five seconds tell what is in a file."""

AVFMT_FLAG_GENPTS: Final = 1

BUFFER: Final = 1 << 16
"""Bytes read at once."""

MAX_FAILURES: Final = 100
"""So many times in a row reading on may fail; then what there is has come."""

CONVERT: Final = "convert it to WAV, MP3, FLAC, Ogg, M4A, WebM or MP4"

PROTECTED: Final = "it is protected (encrypted); take a copy without protection"

_BEGINNINGS: Final = {
    "WAV": (0, b"RIFF"),
    "FLAC": (0, b"fLaC"),
    "Ogg": (0, b"OggS"),
    "WebM": (0, b"\x1a\x45\xdf\xa3"),
    "MP3": (0, b"ID3"),
    "MP4": (4, b"ftyp"),
}
_PROTECTED: Final = frozenset({"enca", "drms", "aavd"})


def open_container(file: Source) -> InputContainer:
    """Find out what is in a file.

    Raises:
        RecordingError: Nothing that we know, or it is damaged.
    """
    try:
        container = av.open(
            file,
            "r",
            container_options=LIMITS,
            metadata_errors="replace",
            buffer_size=BUFFER,
            io_open=_refuse,
        )
    except av.FFmpegError as exc:
        raise RecordingError(_unknown(file)) from exc
    # It would read ahead, any distance, for times that nobody needs.
    container.flags &= ~AVFMT_FLAG_GENPTS
    return container


def choose(container: InputContainer) -> AudioStream:
    """Return the track that is heard: the first that is marked as such, else the first.

    Raises:
        RecordingError: There is none, or it cannot be decoded.
    """
    tracks = container.streams.audio
    if not tracks:
        raise RecordingError(
            "the video has no sound; choose a file with an audio track"
            if container.streams.video
            else f"there is no sound in this file; {CONVERT}"
        )
    known = [track for track in tracks if _is_known(track)]
    if not known:
        raise RecordingError(f"its sound is protected or of an unknown kind; {CONVERT}")
    chosen = min(known, key=lambda track: not track.disposition & Disposition.default)
    if chosen.codec_context.codec_tag in _PROTECTED:
        raise RecordingError(PROTECTED)
    for stream in container.streams:
        stream.discard = Discard.default if stream is chosen else Discard.all
    _prepare(chosen.codec_context)
    return chosen


def _prepare(context: AudioCodecContext) -> None:
    """Start no threads, and forget what the channels are called.

    PyAV 18 copies the pointer to their names, and frees both: what reads a recording with names
    of its own (they are in AIFF, CAF and MP4) a second time, each decoded frame too, breaks the
    heap. So they are read once, and the context that would pass them on gets none.
    """
    context.thread_count = 1
    if count := (names := context.layout).nb_channels:
        context.layout = AudioLayout(f"{count} channels")
    del names


def packets(container: InputContainer, stream: AudioStream) -> "Iterator[Packet[AudioStream]]":
    """Yield what can be read of a track, whatever is damaged between; the last one is empty.

    Raises:
        RecordingError: It is encrypted.
    """
    failures = 0
    while failures < MAX_FAILURES:
        failures += 1
        # PyAV raises IndexError at the end where tracks came up that were not there before.
        with suppress(av.FFmpegError):
            with suppress(IndexError):
                for packet in container.demux(stream):
                    failures = 0
                    if packet.has_sidedata("encryption_info"):
                        raise RecordingError(PROTECTED)
                    yield packet
            return


def frames(packet: "Packet[AudioStream]") -> list[AudioFrame]:
    """Decode a packet; a damaged one holds nothing."""
    try:
        return packet.decode()
    except av.FFmpegError:
        return []


def samples_of(frame: AudioFrame) -> npt.NDArray[Any]:
    """Return what is in a frame, in shape `(channels, n)`, of whatever type.

    PyAV itself looks for the end of its list of planes, which has none where there are eight or
    more, and reads what lies behind.
    """
    channels = frame.layout.nb_channels
    is_planar = frame.format.is_planar
    # They are buffers, though their types do not say so.
    planes: list[Any] = [AudioPlane(frame, n) for n in range(channels if is_planar else 1)]
    kind = np.dtype(format_dtypes[frame.format.name])
    count = frame.samples * channels // len(planes)
    arrays = np.stack([np.frombuffer(plane, kind, count) for plane in planes])
    return arrays if is_planar else arrays.reshape(-1, channels).T


def _is_known(track: AudioStream) -> bool:
    # PyAV has no context for what FFmpeg has no decoder for, whatever its types say.
    context: Any = track.codec_context
    return context is not None and context.codec.name in CODECS


def _unknown(file: Source) -> str:
    file.seek(0)
    head = file.read(16)
    for kind, (at, beginning) in _BEGINNINGS.items():
        if head[at:].startswith(beginning):
            return f"it begins as {kind} and is damaged or incomplete; copy or record it again"
    return f"not a sound file, or of an unknown kind; {CONVERT}"


def _refuse(url: str, flags: int, options: dict[str, str]) -> Source:  # noqa: ARG001 - PyAV's
    raise RecordingError("it is no recording but names other files; choose one of those")
