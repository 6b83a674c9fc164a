"""How sound files are broken; what must come of them is in `sound_files.py`."""

import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from tests.support.sound_writing import KINDS, SPEECH_HZ, speech, write

Make = Callable[[Path], Path]
"""Makes a file in a folder and returns its path."""


def written(kind: str, *, name: str = "", rate_hz: int = SPEECH_HZ, channels: int = 1) -> Make:
    """Return what writes the speech as a kind of file."""

    def make(folder: Path) -> Path:
        audio = np.repeat(speech(rate_hz), channels, axis=0)
        return write(folder / (name or f"speech{KINDS[kind].suffix}"), audio, rate_hz, KINDS[kind])

    return make


def changed(make: Make, change: Callable[[bytes], bytes]) -> Make:
    """Return what writes a file whose bytes are changed afterwards."""

    def then(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return then


def file_of(name: str, data: Callable[[], bytes]) -> Make:
    """Return what writes these bytes."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data())
        return path

    return make


def cut(share: float) -> Callable[[bytes], bytes]:
    """Return what keeps the beginning only."""
    return lambda data: data[: int(len(data) * share)]


def garbage(at: float = 0.5, length: int = 1_000) -> Callable[[bytes], bytes]:
    """Return what overwrites some bytes, from a share of the length on."""

    def change(data: bytes) -> bytes:
        start = int(len(data) * at)
        noise = np.random.default_rng(5).bytes(length)
        return data[:start] + noise + data[start + length :]

    return change


def strange_track(data: bytes) -> bytes:
    """Give one packet of a transport stream to a track that nobody announced."""
    starts = [at for at in range(0, len(data), 188) if data[at + 1 : at + 3] == b"\x41\x00"]
    at = starts[len(starts) * 2 // 3]
    return data[: at + 2] + b"\x01" + data[at + 3 :]


def wav_bytes(
    data: bytes, *, channels: int = 1, bits: int = 16, rate_hz: int = SPEECH_HZ, tag: int = 1,
    before: bytes = b"", extension: bytes = b"", size: int | None = None,
) -> bytes:  # fmt: skip
    """Write a WAV file by hand; `before` are chunks before the sound."""
    align = channels * bits // 8 & 0xFFFF
    speed = rate_hz * align & 0xFFFFFFFF
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, speed, align, bits) + extension
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + before
    chunks += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def s16_bytes() -> bytes:
    """Return the speech as 16-bit samples."""
    return np.round(speech().T * 32767).astype("<i2").tobytes()


def float_bytes(scale: float = 1.0, *, nan_every: int = 0) -> bytes:
    """Return the speech as floats; some may be no numbers."""
    samples = (speech() * scale).T.astype("<f4")
    if nan_every:
        samples[::nan_every] = np.nan
        samples[1::nan_every] = np.inf
    return samples.tobytes()


def extensible_bytes() -> bytes:
    """Write the speech in 24 bits with the long form of the header, as recorders do."""
    wide = np.round(speech()[0] * (2**23 - 1)).astype("<i4")
    data = wide.view("u1").reshape(-1, 4)[:, :3].tobytes()
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    return wav_bytes(data, bits=24, tag=0xFFFE, extension=struct.pack("<HHI", 22, 24, 4) + guid)


def silent_channel(folder: Path) -> Path:
    """Write the speech with a second channel on which nothing is."""
    audio = np.concatenate([speech(), np.zeros_like(speech())])
    return write(folder / "two.wav", audio, SPEECH_HZ, KINDS["wav"])


def picture(name: str) -> Make:
    """Return what writes a PNG picture."""

    def make(folder: Path) -> Path:
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        encoder = av.CodecContext.create("png", "w")
        encoder.width = encoder.height = 64
        encoder.pix_fmt = "rgb24"
        packets = encoder.encode(frame)
        path = folder / name
        path.write_bytes(b"".join(bytes(packet) for packet in packets))
        return path

    return make


def id3_bytes(size: int) -> bytes:
    """Return a tag with a picture of so many bytes, and a title that is no UTF-8."""
    title = b"TIT2" + struct.pack(">IH", 5, 0) + b"\x03\xff\xfe\xe9x"
    body = b"\x00image/png\x00\x03\x00" + b"\x89PNG\r\n\x1a\n" + bytes(size)
    picture = b"APIC" + struct.pack(">IH", len(body), 0) + body
    tag = title + picture
    length = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + length + tag


def film(folder: Path) -> Path:
    """Write a film with sound."""
    return write(folder / "film.mp4", speech(), SPEECH_HZ, KINDS["m4a"], picture_s=2.0)


def silent_film(folder: Path) -> Path:
    """Write a film without sound."""
    path = folder / "silent.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for number in range(10):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def late_sound(folder: Path) -> Path:
    """Write a film whose sound begins a second after its picture."""
    return write(
        folder / "late.mkv", speech(), SPEECH_HZ, replace(KINDS["mka"], container="matroska"),
        picture_s=3.0, jumps={-1.0: 1.0},
    )  # fmt: skip


def encrypted(folder: Path) -> Path:
    """Write an MP4 file that only its owner can play."""
    options = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    }
    return write(folder / "secret.m4a", speech(), SPEECH_HZ, KINDS["m4a"], options=options)


def with_options(kind: str, name: str, **options: str) -> Make:
    """Return what writes the speech as a kind of file, with FFmpeg's options for it."""
    return lambda folder: write(
        folder / name, speech(), SPEECH_HZ, KINDS[kind], options={**options}
    )


def playlist(name: str, text: str) -> Make:
    """Return what writes a playlist that names a recording beside it."""

    def make(folder: Path) -> Path:
        target = write(folder / "target.ts", speech(48_000), 48_000, KINDS["ts"])
        path = folder / name
        path.write_text(text.format(target=target), encoding="utf-8")
        return path

    return make


def chained(folder: Path) -> Path:
    """Write two Ogg streams in a row, as recorders of radio do."""
    halves = np.array_split(speech(48_000), 2, axis=1)
    parts = [
        write(folder / f"{n}.opus", half, 48_000, KINDS["opus"]) for n, half in enumerate(halves)
    ]
    path = folder / "chained.ogg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def link_to_itself(folder: Path) -> Path:
    """Make a link that leads nowhere but here."""
    path = folder / "loop.wav"
    path.symlink_to(path)
    return path


def directory(folder: Path) -> Path:
    """Make a folder with the name of a sound file."""
    path = folder / "folder.wav"
    path.mkdir()
    return path


def pipe(folder: Path) -> Path:
    """Make a pipe with the name of a sound file."""
    path = folder / "pipe.wav"
    os.mkfifo(path)
    return path


def forbidden(folder: Path) -> Path:
    """Write a file that nobody may read."""
    path = written("wav")(folder)
    path.chmod(0)
    return path


def archive(folder: Path) -> Path:
    """Write an archive with the name of a sound file."""
    path = folder / "archive.m4a"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("speech.wav", wav_bytes(s16_bytes()))
    return path
