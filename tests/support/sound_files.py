"""Broken sound files, and odd ones, and what must come of each.

Whoever reads files runs over the table: decoder, command line, daemon.

    broken = BROKEN["mp3-truncated"]
    path = broken.make(folder)  # the file, in an empty folder of its own; takes milliseconds
    broken.error                # what the error says (a regular expression); "" where sound comes
    broken.share                # about how much of `SPEECH` comes; 1.0 is all
    broken.is_clear             # its words can be understood: `speech_text()`

Root may read everything: run what reads `no-permission` inside `without_privileges()`, or start it
with `command_without_privileges(...)`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.support.recorded_speech import recording
from tests.support.sound_breaking import (
    Make,
    archive,
    chained,
    changed,
    cut,
    directory,
    encrypted,
    extensible_bytes,
    file_of,
    film,
    float_bytes,
    forbidden,
    garbage,
    id3_bytes,
    late_sound,
    link_to_itself,
    picture,
    pipe,
    playlist,
    s16_bytes,
    silent_channel,
    silent_film,
    strange_track,
    wav_bytes,
    with_options,
    written,
)
from tests.support.sound_writing import SPEECH

NOBODY = 65_534


@dataclass(frozen=True, slots=True)
class Broken:
    """A file, and what must come of it.

    Attributes:
        make: Makes it in a folder and returns its path.
        error: What the one line of the error says, or "" where sound must come.
        share: How much of the speech must come; 0 where it is something else than speech.
        within: How far it may be off.
    """

    make: Make
    error: str = ""
    share: float = 1.0
    within: float = 0.1

    @property
    def is_clear(self) -> bool:
        """Whether all words of the speech can be understood."""
        return not self.error and self.share >= 1.0 and self.within <= 0.1


def speech_text() -> str:
    """Return what is said in the files."""
    return recording(SPEECH).text


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody, in the whole process, where we are root."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def command_without_privileges(*command: str) -> Sequence[str]:
    """Return the command for a process that may not read what its permissions forbid."""
    if os.geteuid():
        return command
    taken = "-dac_override,-dac_read_search"
    return "setpriv", f"--bounding-set={taken}", f"--inh-caps={taken}", *command


_M3U8 = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\n{target}\n#EXT-X-ENDLIST\n"
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n"

_FOREIGN = "not a sound file"
_DAMAGED = "damaged or incomplete"
_SHORT = Broken(directory, share=0.5, within=0.15)

BROKEN = {
    # What is no file, or may not be read.
    "missing": Broken(lambda folder: folder / "missing.wav", "no such file"),
    "directory": Broken(directory, "folder"),
    "pipe": Broken(pipe, "pipe"),
    "device": Broken(lambda _folder: Path("/dev/zero"), "device"),
    "no-permission": Broken(forbidden, "no permission"),
    "link-to-itself": Broken(link_to_itself, "link"),
    "zero-bytes": Broken(file_of("nothing.wav", bytes), "empty"),
    # What is no recording.
    "text-named-wav": Broken(file_of("notes.wav", lambda: b"hello there\n" * 99), _FOREIGN),
    "noise-named-mp3": Broken(
        file_of("noise.mp3", lambda: np.random.default_rng(1).bytes(200_000)), _FOREIGN
    ),
    "zeros-named-mp3": Broken(file_of("zeros.mp3", lambda: bytes(100_000)), _FOREIGN),
    "picture": Broken(picture("picture.png"), _FOREIGN),
    "picture-named-mp3": Broken(picture("picture.mp3"), _FOREIGN),
    "zip-named-m4a": Broken(archive, _FOREIGN),
    "playlist-m3u8": Broken(playlist("list.m3u8", _M3U8), _FOREIGN),
    "playlist-named-wav": Broken(playlist("list.wav", _M3U8), _FOREIGN),
    "playlist-concat": Broken(
        playlist("list.ffconcat", "ffconcat version 1.0\nfile '{target}'\n"), _FOREIGN
    ),
    "metadata-script": Broken(file_of("x.txt", lambda: b";FFMETADATA1\ntitle=x\n"), _FOREIGN),
    "session-description": Broken(file_of("x.sdp", _SDP.encode), _FOREIGN),
    "film-without-sound": Broken(silent_film, "no sound"),
    "encrypted": Broken(encrypted, "protected"),
    # WAV by the book of those who did not read it.
    "wav-no-samples": Broken(file_of("empty.wav", lambda: wav_bytes(b"")), "track is empty"),
    "wav-half-a-header": Broken(
        file_of("head.wav", lambda: wav_bytes(s16_bytes())[:20]), _DAMAGED
    ),
    "wav-one-sample": Broken(
        file_of("one.wav", lambda: wav_bytes(b"\x01\x02")), share=0.0, within=0.01
    ),
    "wav-truncated": replace(_SHORT, make=changed(written("wav"), cut(0.5))),
    "wav-half-a-sample": Broken(file_of("odd.wav", lambda: wav_bytes(s16_bytes() + b"\x01"))),
    "wav-length-zero": Broken(file_of("live.wav", lambda: wav_bytes(s16_bytes(), size=0))),
    "wav-length-unknown": Broken(
        file_of("live.wav", lambda: wav_bytes(s16_bytes(), size=0xFFFFFFFF))
    ),
    "wav-length-too-long": Broken(file_of("lies.wav", lambda: wav_bytes(s16_bytes(), size=10**8))),
    "wav-length-too-short": replace(
        _SHORT,
        make=file_of("lies.wav", lambda: wav_bytes(s16_bytes(), size=len(s16_bytes()) // 2)),
    ),
    "wav-odd-chunks": Broken(
        file_of(
            "c.wav",
            lambda: wav_bytes(s16_bytes(), before=b"junk\x05\0\0\0hello\0note\x01\0\0\0x\0"),
        )
    ),
    "wav-tags-not-utf8": Broken(
        file_of(
            "t.wav",
            lambda: wav_bytes(
                s16_bytes(), before=b"LIST\x10\0\0\0INFOINAM\x04\0\0\0\xff\xfe\xe9x"
            ),
        )
    ),
    "wav-extensible-24-bit": Broken(file_of("recorder.wav", extensible_bytes)),
    "wav-8-bit": Broken(written("wav8")),
    "wav-32-bit": Broken(written("wav32")),
    "wav-8-khz": Broken(written("wav", rate_hz=8_000)),
    "wav-192-khz": Broken(written("wav", rate_hz=192_000)),
    "wav-8-channels": Broken(written("wav", channels=8)),
    "aiff-8-channels": Broken(written("aiff", channels=8)),
    "m4a-8-channels": Broken(written("m4a", channels=8)),
    "wav-rate-of-1-hz": Broken(
        file_of("slow.wav", lambda: wav_bytes(s16_bytes(), rate_hz=1)),
        "nothing in it can be decoded",
    ),
    "wav-channels-of-65535": Broken(
        file_of("wide.wav", lambda: wav_bytes(s16_bytes(), channels=65_535)), "nothing in it"
    ),
    "wav-one-silent-channel": Broken(silent_channel),
    "wav-float": Broken(file_of("f.wav", lambda: wav_bytes(float_bytes(), bits=32, tag=3))),
    "wav-float-not-a-number": Broken(
        file_of("nan.wav", lambda: wav_bytes(float_bytes(nan_every=500), bits=32, tag=3))
    ),
    "wav-float-too-loud": Broken(
        file_of("loud.wav", lambda: wav_bytes(float_bytes(4.0), bits=32, tag=3))
    ),
    "wav-named-mp3": Broken(written("wav", name="speech.mp3")),
    # Compressed, and damaged.
    "mp3-named-wav": Broken(written("mp3", name="speech.wav")),
    "mp3-truncated": replace(_SHORT, make=changed(written("mp3"), cut(0.5))),
    "mp3-headless": replace(
        _SHORT, make=changed(written("mp3"), lambda data: data[len(data) // 2 :])
    ),
    "mp3-garbage": Broken(changed(written("mp3"), garbage()), share=0.9, within=0.2),
    "mp3-huge-picture": Broken(changed(written("mp3"), lambda data: id3_bytes(3_000_000) + data)),
    "mp3-only-a-tag": Broken(file_of("tag.mp3", lambda: id3_bytes(1_000)), _DAMAGED),
    "m4a-named-ogg": Broken(written("m4a", name="speech.ogg")),
    "m4a-without-index": Broken(changed(written("m4a"), cut(0.8)), _DAMAGED),
    "m4a-truncated": replace(
        _SHORT, make=changed(with_options("m4a", "fast.m4a", movflags="faststart"), cut(0.55))
    ),
    "m4a-in-fragments-truncated": replace(
        _SHORT,
        make=changed(
            with_options(
                "m4a", "f.m4a", movflags="frag_keyframe+empty_moov", frag_duration="200000"
            ),
            cut(0.5),
        ),
    ),
    "m4a-garbage": Broken(changed(written("m4a"), garbage(0.4)), within=0.15),
    "flac-truncated": replace(_SHORT, make=changed(written("flac"), cut(0.5))),
    "flac-garbage": Broken(changed(written("flac"), garbage()), share=0.9, within=0.3),
    "flac-only-a-header": Broken(changed(written("flac"), lambda data: data[:42]), _DAMAGED),
    "ogg-truncated": replace(_SHORT, make=changed(written("opus"), cut(0.5))),
    "ogg-garbage": Broken(
        changed(with_options("opus", "p.opus", page_duration="200000"), garbage()), within=0.3
    ),
    "ogg-chained": Broken(chained),
    "webm-without-length": Broken(with_options("webm", "live.webm", live="1")),
    "webm-truncated": replace(_SHORT, make=changed(written("webm"), cut(0.5))),
    "webm-garbage": Broken(
        changed(with_options("webm", "c.webm", cluster_time_limit="200"), garbage()), within=0.3
    ),
    "aac-garbage": Broken(changed(written("aac"), garbage()), share=0.9, within=0.2),
    "amr-truncated": replace(_SHORT, make=changed(written("amr", rate_hz=8_000), cut(0.5))),
    "ts-from-the-middle": replace(
        _SHORT,
        make=changed(written("ts", rate_hz=48_000), lambda data: data[len(data) // 2 + 7 :]),
    ),
    "ts-strange-track": Broken(changed(written("ts", rate_hz=48_000), strange_track), within=0.11),
    "film": Broken(film),
    "film-with-late-sound": Broken(late_sound, share=1.5),
}
"""By the kind of harm."""
