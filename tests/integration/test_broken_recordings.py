"""Whatever somebody calls a recording: its sound comes, or one line with the cure."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import av
import numpy as np
import pytest

from livebot.audio.pcm import Samples
from livebot.errors import RecordingError
from livebot.recordings.container import LIMITS
from livebot.recordings.decode import open_recording
from tests.support.sound_files import BROKEN, without_privileges
from tests.support.sound_writing import SPEECH_HZ, SPEECH_S, speech

SOUND = sorted(name for name, broken in BROKEN.items() if not broken.error)
REFUSED = sorted(set(BROKEN) - set(SOUND))


def read(path: Path) -> Samples:
    """Return all that is in a file."""
    with open_recording(path) as recording:
        blocks = list(recording.blocks(SPEECH_HZ))
    assert all(0 < len(block) <= SPEECH_HZ and block.dtype == np.float32 for block in blocks)
    return np.concatenate(blocks)


def likeness(samples: Samples) -> float:
    """Return how much of the speech is in them, wherever: 1 is all, without anything else."""
    size = len(samples) + speech().shape[1]
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(speech()[0], size))
    best = np.fft.irfft(spectrum, size).max()
    return float(best / (np.linalg.norm(samples) * np.linalg.norm(speech())))


@pytest.mark.parametrize("name", SOUND)
def test_sound_comes(name: str, tmp_path: Path) -> None:
    """As much as there is, and all of it where nothing is missing."""
    broken = BROKEN[name]

    samples = read(broken.make(tmp_path))

    assert len(samples) / SPEECH_HZ / SPEECH_S == pytest.approx(broken.share, abs=broken.within)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1.0
    if broken.is_clear:
        assert likeness(samples) > 0.97


@pytest.mark.parametrize("name", REFUSED)
def test_a_clear_line_comes(name: str, tmp_path: Path) -> None:
    """It names the cure, and neither the path nor a number of an error."""
    broken = BROKEN[name]
    path = broken.make(tmp_path)

    with (
        without_privileges() if name == "no-permission" else nullcontext(),
        pytest.raises(RecordingError, match=broken.error) as caught,
    ):
        read(path)

    line = str(caught.value)
    assert re.fullmatch(r"[^\n]{20,160}", line)
    assert "; " in line
    assert path.name not in line
    assert "rrno" not in line


def test_a_playlist_would_be_followed(tmp_path: Path) -> None:
    """By FFmpeg as it is: so the refusals above mean something."""
    path = BROKEN["playlist-m3u8"].make(tmp_path)

    with av.open(str(path)) as container:
        assert container.format.name == "hls"
        assert container.streams.audio


@pytest.mark.parametrize("name", ["playlist-m3u8", "playlist-concat"])
def test_a_playlist_opens_nothing_even_where_it_is_let_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of formats is not all that keeps it from other files and from the network."""
    monkeypatch.delitem(LIMITS, "format_whitelist")
    monkeypatch.setitem(LIMITS, "safe", "0")
    path = BROKEN[name].make(tmp_path)

    with pytest.raises(RecordingError):
        read(path)


@pytest.fixture
def _open_files_and_threads() -> Iterator[None]:
    def count() -> tuple[int, int]:
        kinds = (Path("/proc/self/fd"), Path("/proc/self/task"))
        files, threads = (sum(1 for _ in kind.iterdir()) for kind in kinds)
        return files, threads

    before = count()
    yield
    assert count() == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.usefixtures("_open_files_and_threads")
def test_nothing_stays_open(tmp_path: Path) -> None:
    """Neither files nor threads, also where somebody stops in the middle."""
    for name in ("film", "flac-garbage", "wav-no-samples", "encrypted", "m4a-without-index"):
        folder = tmp_path / name
        folder.mkdir()
        path = BROKEN[name].make(folder)
        for _ in range(3):
            try:
                with open_recording(path) as recording:
                    next(recording.blocks(SPEECH_HZ))
            except RecordingError:
                assert name in REFUSED


def test_ffmpeg_says_nothing(tmp_path: Path) -> None:
    """Its complaints about damaged files are for nobody who reads a terminal."""
    names = ("mp3-garbage", "m4a-garbage", "flac-garbage", "mp3-only-a-tag", "m4a-without-index")
    paths = []
    for name in names:
        (tmp_path / name).mkdir()
        paths.append(BROKEN[name].make(tmp_path / name))
    program = """
import sys
from pathlib import Path
from livebot.errors import RecordingError
from livebot.recordings.decode import open_recording
for name in sys.argv[1:]:
    try:
        with open_recording(Path(name)) as recording:
            sum(1 for _ in recording.blocks(16000))
    except RecordingError:
        pass
"""

    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], capture_output=True, check=True
    )

    assert (done.stdout, done.stderr) == (b"", b"")
