"""A recording as samples."""

import errno
import itertools
import os
import tracemalloc
from io import FileIO
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.errors import RecordingError
from livebot.recordings.decode import Recording, open_recording
from tests.support.sound_writing import KINDS, tone, write

HZ = 440.0


def read(path: Path, rate_hz: int = 16_000, *, from_s: float = 0.0) -> Samples:
    """Return what is in a file."""
    with open_recording(path) as recording:
        blocks = list(recording.blocks(rate_hz, from_s=from_s))
    assert all(len(block) <= rate_hz and block.dtype == np.float32 for block in blocks)
    assert from_s > 0 or all(block.size for block in blocks)
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def noise_db(samples: Samples, rate_hz: int) -> float:
    """Return how loud everything else is beside the tone at half of full scale."""
    phase = 2 * np.pi * HZ * np.arange(len(samples)) / rate_hz
    waves = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    parts, *_ = np.linalg.lstsq(waves, samples, rcond=None)
    assert np.hypot(*parts) == pytest.approx(0.5, rel=0.15)
    return float(20 * np.log10(np.std(samples - waves @ parts) / 0.35 + 1e-9))


def onsets(samples: Samples, rate_hz: int) -> list[float]:
    """Return when sound begins after silence, in seconds; 20 ms of it make a beginning."""
    window = rate_hz // 50
    windows = samples[: len(samples) // window * window].reshape(-1, window)
    loud = np.abs(windows).max(axis=1) > 0.1
    return [n / 50 for n in np.flatnonzero(loud & ~np.r_[False, loud[:-1]])]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_tone_stays_a_tone(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever the kind of file, its rate, its channels and the rate that is wanted."""
    name = data.draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[name]
    rate_hz = data.draw(st.sampled_from(kind.rates or (8_000, 11_025, 16_000, 44_100, 192_000)))
    channels = data.draw(st.sampled_from(kind.channels))
    wanted_hz = data.draw(st.sampled_from([8_000, 16_000, 24_000, 48_000]))
    path = tmp_path / f"tone{kind.suffix}"
    write(path, tone(rate_hz, 1.5, channels=channels), rate_hz, kind)

    samples = read(path, wanted_hz)

    assert 1.49 <= len(samples) / wanted_hz <= 1.51 + kind.pads_s
    middle = samples[wanted_hz // 4 : wanted_hz * 5 // 4]
    assert noise_db(middle, wanted_hz) < (-70 if kind.is_exact else -12)


@pytest.mark.parametrize("name", sorted(name for name in KINDS if KINDS[name].is_exact))
def test_length_is_exact(name: str, tmp_path: Path) -> None:
    """No sample is lost or added where nothing is compressed away."""
    kind = KINDS[name]
    path = write(tmp_path / f"tone{kind.suffix}", tone(44_100, 2.56), 44_100, kind)

    assert len(read(path, 44_100)) == 112_896
    assert len(read(path, 16_000)) == 40_960


def test_no_seam(tmp_path: Path) -> None:
    """Over frames, blocks and seconds the tone goes on as if there were none."""
    path = write(tmp_path / "tone.flac", tone(44_100, 12.3), 44_100, KINDS["flac"])

    samples = read(path)

    assert noise_db(samples[1_000:-1_000], 16_000) < -80


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Samples]]:
    """Write recordings of several kinds, one with a gap; with what is in them."""
    folder = tmp_path_factory.mktemp("whole")
    audio = np.random.default_rng(3).uniform(-0.5, 0.5, (2, 48_000 * 3)).astype(np.float32)
    paths = [
        write(folder / "a.mp3", audio, 48_000, KINDS["mp3"]),
        write(folder / "b.m4a", audio, 48_000, KINDS["m4a"]),
        write(folder / "c.webm", audio, 48_000, KINDS["webm"], jumps={1.0: 2.0}),
        write(folder / "d.wav", audio, 48_000, KINDS["wav"]),
    ]
    return [(path, read(path)) for path in paths]


@settings(max_examples=20)
@given(which=st.integers(0, 3), from_s=st.floats(-1.0, 7.0))
def test_from_the_middle(
    recordings: list[tuple[Path, Samples]], which: int, from_s: float
) -> None:
    """What comes is what would have come anyway, bit for bit."""
    path, whole = recordings[which]

    rest = read(path, from_s=from_s)

    assert np.array_equal(rest, whole[max(0, round(from_s * 16_000)) :])


def test_what_is_left_out_holds_nobody_up(tmp_path: Path) -> None:
    """A block comes for each second of it, with nothing inside: time to look whether to go on."""
    path = write(tmp_path / "tone.wav", tone(16_000, 30.0), 16_000, KINDS["wav"])

    with open_recording(path) as recording:
        sizes = [block.size for block in recording.blocks(16_000, from_s=20.0)]

    assert 18 <= sizes.count(0) <= 22
    assert sum(sizes) == 160_000


def test_twice(recordings: list[tuple[Path, Samples]]) -> None:
    """A recording can be decoded again, also when somebody stopped in the middle."""
    path, whole = recordings[0]
    with open_recording(path) as recording:
        next(recording.blocks(16_000))

        assert np.array_equal(np.concatenate(list(recording.blocks(16_000))), whole)


@pytest.mark.parametrize("name", ["webm", "m4a", "ts", "mka", "opus"])
def test_a_pause_stays_a_pause(name: str, tmp_path: Path) -> None:
    """What was not recorded is silence, so that later words have a player's times."""
    kind = KINDS[name]
    path = tmp_path / f"paused{kind.suffix}"
    write(path, tone(48_000, 3.0), 48_000, kind, jumps={1.0: 2.5})

    samples = read(path)

    assert onsets(samples, 16_000) == [
        pytest.approx(0.0, abs=0.03),
        pytest.approx(3.5, abs=0.06),
    ]
    assert len(samples) / 16_000 == pytest.approx(5.5, abs=0.1)
    with open_recording(path) as recording:
        assert recording.duration_s == pytest.approx(5.5, abs=0.1)


@pytest.mark.parametrize("name", ["mka", "m4a", "ts"])
def test_sound_that_begins_after_the_picture(name: str, tmp_path: Path) -> None:
    """A player shows the picture meanwhile."""
    kind = KINDS[name]
    path = tmp_path / f"film{kind.suffix}"
    write(path, tone(48_000, 1.0), 48_000, kind, jumps={-1.0: 2.0}, picture_s=4.0)

    assert onsets(read(path), 16_000) == [pytest.approx(2.0, abs=0.06)]


def test_a_pause_of_years_is_none(tmp_path: Path) -> None:
    """It is damage, or an attempt to keep a machine busy."""
    path = tmp_path / "years.webm"
    write(path, tone(48_000, 3.0), 48_000, KINDS["webm"], jumps={1.0: 1e6})

    assert len(read(path)) / 16_000 == pytest.approx(3.0, abs=0.1)


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Half an hour is never there at once."""
    path = tmp_path / "meeting.webm"
    write(path, tone(48_000, 3.0), 48_000, KINDS["webm"], jumps={1.0: 1_800.0})
    tracemalloc.start()
    with open_recording(path) as recording:
        length = sum(len(block) for block in recording.blocks(8_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert length / 8_000 == pytest.approx(1_803.0, abs=0.1)
    assert most < 8_000_000


@pytest.mark.parametrize("marked", [0, 1])
def test_the_marked_track_is_heard(marked: int, tmp_path: Path) -> None:
    """Where there are several, as in films of several languages."""
    path = tmp_path / "two.mka"
    with av.open(str(path), "w", format="matroska") as container:
        tracks = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        tracks[marked].disposition = Disposition.default
        tracks[1 - marked].disposition = Disposition(0)
        for track, hz in zip(tracks, (HZ, 1_000.0), strict=True):
            frame = av.AudioFrame.from_ndarray(tone(16_000, 1.0, hz=hz), "fltp", "mono")
            frame.sample_rate = 16_000
            for packet in itertools.chain(track.encode(frame), track.encode(None)):
                container.mux(packet)

    spectrum = np.abs(np.fft.rfft(read(path)))

    assert np.argmax(spectrum) == (HZ, 1_000.0)[marked]


class FailingDisk(FileIO):
    """A file on a disk that fails when so many bytes were read."""

    good = 20_000

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, or fail."""
        self.good -= size or 0
        if self.good < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO), "/secret/name.wav")
        return super().read(size)


@pytest.mark.parametrize("good", [0, 500_000])
def test_a_failing_disk(good: int, tmp_path: Path) -> None:
    """It is said, without the path, and what was read is not taken for all."""
    path = write(tmp_path / "tone.wav", tone(48_000, 30.0), 48_000, KINDS["wav"])
    with FailingDisk(path) as disk:
        disk.good = good
        with pytest.raises(
            RecordingError, match=r"cannot be read \(Input/output error\)"
        ) as caught:
            for _ in Recording(disk).blocks(16_000):
                pass

    assert "secret" not in str(caught.value)
