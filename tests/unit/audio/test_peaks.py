"""What is kept of a recording's loudness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio import peaks
from livebot.audio.pcm import Samples
from livebot.audio.peaks import MOST_BINS, PeakMeter


def noise(count: int) -> Samples:
    """Return samples of which no two are alike."""
    return np.random.default_rng(0).uniform(-1, 1, count).astype(np.float32)


@given(st.lists(st.integers(0, 300), max_size=20), st.integers(1, 40))
def test_however_it_is_cut_it_is_the_same(sizes: list[int], step: int) -> None:
    """Each stretch's lowest and highest sample."""
    samples = noise(sum(sizes))
    meter = PeakMeter(1000)
    begin = 0
    for size in sizes:
        meter.push(samples[begin : begin + size])
        begin += size

    found = meter.result()

    assert found.bin_s == 0.005
    stretches = [samples[at : at + 5] for at in range(0, len(samples), 5)]
    assert found.low.tolist() == [each.min() for each in stretches]
    assert found.high.tolist() == [each.max() for each in stretches]
    low, high = found.strokes(0.0, step * 0.005, 1000)
    drawn = [samples[at : at + 5 * step] for at in range(0, len(samples), 5 * step)]
    assert low.tolist() == [each.min() for each in drawn]
    assert high.tolist() == [each.max() for each in drawn]


def test_any_length_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches grow; nothing loud gets lost."""
    monkeypatch.setattr(peaks, "MOST_BINS", 8)
    samples = noise(5000)
    meter = PeakMeter(1000)
    meter.push(samples)

    found = meter.result()

    size = round(found.bin_s * 1000)
    assert len(found.low) <= 9
    assert size == 640
    assert found.high.tolist() == [samples[at : at + size].max() for at in range(0, 5000, size)]
    assert found.low.tolist() == [samples[at : at + size].min() for at in range(0, 5000, size)]


def test_three_hours_take_little_memory() -> None:
    """As many stretches as there may be, whatever comes."""
    meter = PeakMeter(800)
    for _ in range(3 * 3600 // 30):
        meter.push(noise(800 * 30))
    found = meter.result()
    assert MOST_BINS / 2 <= len(found.low) <= MOST_BINS + 1
    assert len(found.low) * found.bin_s == pytest.approx(3 * 3600, abs=found.bin_s)


@pytest.mark.parametrize(("start", "count"), [(0.0, 4), (9.0, 4), (0.005, 1)])
def test_strokes_end_with_the_recording(start: float, count: int) -> None:
    """There are none of what is not there."""
    meter = PeakMeter(1000)
    meter.push(noise(12))
    low, high = meter.result().strokes(start, 0.005, count)
    assert len(low) == len(high) == max(0, min(count, 3 - round(start / 0.005)))


def test_nothing_has_no_peaks() -> None:
    """And no strokes."""
    found = PeakMeter(8000).result()
    assert len(found.low) == len(found.high) == 0
    assert not len(found.strokes(0.0, 1.0, 5)[0])
