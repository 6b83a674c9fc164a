"""The measure of word times: tests are only as good as it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.accuracy.table import Result, render
from tests.accuracy.times import NONE, Timed, compare, disorder
from tests.support.wer import wer

GAPS = st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), max_size=12)


def timed(gaps: list[tuple[float, float]]) -> list[Timed]:
    """Return words that follow each other after these pauses, with these lengths."""
    out, at = [], 0.0
    for n, (pause, length) in enumerate(gaps):
        start = at + pause
        at = start + length
        out.append(Timed(f"w{n}", start, at))
    return out


@given(GAPS, st.floats(-1, 1), st.floats(-1, 1))
def test_errors_are_how_far_words_are_moved(
    gaps: list[tuple[float, float]], start: float, end: float
) -> None:
    """Too early counts as much as too late; punctuation and capitals do not."""
    reference = timed(gaps)
    moved = [Timed(f"{w.text.upper()},", w.start + start, w.end + end) for w in reference]

    found = compare(reference, moved)

    assert found.starts == pytest.approx([abs(start)] * len(gaps))
    assert found.ends == pytest.approx([abs(end)] * len(gaps))


@given(GAPS, st.data())
def test_words_not_understood_do_not_count(
    gaps: list[tuple[float, float]], data: st.DataObject
) -> None:
    """They are counted among the words, and compared with nothing."""
    reference = timed(gaps)
    kept = [word for word in reference if data.draw(st.booleans())]

    found = compare(reference, kept)

    assert (len(found.starts), found.words) == (len(kept), len(reference))
    assert not any(found.starts)


@given(GAPS)
def test_order(gaps: list[tuple[float, float]]) -> None:
    """Words one after the other are in order; those that go back are found."""
    words = timed(gaps)

    assert disorder(words) == []
    assert disorder([*words, Timed("late", 100.0, 101.0), Timed("back", 99.0, 102.0)])
    assert disorder([*words, Timed("backwards", 100.0, 99.0)])


def test_table_says_what_is_missing() -> None:
    """Without aligned words there is no error, and the live path has no speed."""
    one = Result(
        model="m",
        path="live",
        wer=wer("good day", "good"),
        errors=NONE,
        disorder=0,
        cpu_s=0.5,
        wall_s=None,
        memory_mb=200.4,
    )

    text = render([one])

    assert "| m | live | 50.0% | 1 of 2 | 0.500 s | - | 200 MiB |" in text
    assert "| m | live | 0 of 0 | none | none | 0 |" in text
