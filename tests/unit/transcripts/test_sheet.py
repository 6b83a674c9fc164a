"""Where everything is on a picture."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.sheet import (
    LEFT,
    MOST_BARS,
    MOST_LINES,
    MOST_MISSING,
    MOST_ROWS,
    Missing,
    lay_out,
)
from tests.support.transcripts import says, some, transcripts


@some
@given(transcripts())
def test_each_word_is_on_one_line(said: Transcript) -> None:
    """In a bar of who says it; bars of one row do not overlap."""
    sheet = lay_out(said)

    rows = [row for line in sheet.lines for row in line.rows.values()]
    for name in {row.name for row in rows}:
        shown = "".join(bar.text for row in rows if row.name == name for bar in row.bars)
        spoken = "".join(
            each.text for each in said.utterances if " ".join(each.speaker.split()) == name
        )
        assert sorted("".join(shown.split())) == sorted(_visible(spoken))
    for row in rows:
        assert all(a.end <= b.start for a, b in pairwise(row.bars))


def _visible(text: str) -> str:
    from livebot.transcripts.pieces import clean

    return "".join(clean(text).split())


@pytest.mark.parametrize(
    ("duration", "line_s", "count"),
    [
        (3, 10, 1),
        (36.8, 10, 4),
        (480, 10, 48),
        (481, 15, 33),
        (3600, 120, 30),
        (10_800, 300, 36),
        (86_400, 1800, 48),
        (400_000, 10_800, 38),
    ],
)
def test_lines_are_as_long_as_it_takes(duration: float, line_s: float, count: int) -> None:
    """Ten seconds where words can be read; never too many lines."""
    sheet = lay_out(Transcript((), duration))
    assert (sheet.line_s, len(sheet.lines)) == (line_s, count)
    assert len(sheet.lines) <= MOST_LINES


def test_what_is_longer_than_a_line_goes_on_with_the_next() -> None:
    """With the words that begin there."""
    said = Transcript((says(*"abcdefgh", each_s=2.0, begin=1.0, speaker="A"),), 20.0)
    first, second = lay_out(said).lines
    (one,), (other,) = first.rows[0].bars, second.rows[0].bars
    assert (one.start, one.end, one.text) == (1.0, 10.0, "a b c d e")
    assert (other.start, other.end, other.text) == (10.0, 17.0, "f g h")


def test_bars_that_nobody_could_tell_apart_are_one() -> None:
    """With all words."""
    said = (says("a", each_s=1.0), says("b", begin=1.001), says("c", begin=3.0))
    (line,) = lay_out(Transcript(said, 9.0)).lines
    assert [bar.text for bar in line.rows[0].bars] == ["a b", "c"]


def test_who_speaks_is_below_each_other() -> None:
    """In the order in which they first speak; only those who do on this line."""
    said = (says("a", speaker="A"), says("b", begin=11, speaker="B"), says("c", begin=12))
    first, second = lay_out(Transcript(said, 20.0)).lines
    assert [(row.number, row.name) for row in first.rows.values()] == [(0, "A")]
    assert [(row.number, row.name) for row in second.rows.values()] == [(1, "B"), (2, "")]


def test_no_line_has_too_many_rows() -> None:
    """The last one is everybody else's."""
    said = tuple(says("a", begin=n / 10, speaker=f"S{n}") for n in range(40))
    (line,) = lay_out(Transcript(said, 9.0)).lines
    assert len(line.rows) == MOST_ROWS
    assert line.rows[-1].name == "others"


def test_there_are_never_too_many_bars() -> None:
    """Of a hundred thousand utterances, nor too many stretches that miss words."""
    word = (Word("a", 0.0, 0.01),)
    said = [
        Utterance((Word("a", n / 2, n / 2 + 0.01),) if n else word, f"S{n % 3}")
        for n in range(20_000)
    ]
    missing = [Missing(n, n + 0.5, "") for n in range(10_000)]
    sheet = lay_out(Transcript(tuple(said), 10_000), missing)
    rows = [row for line in sheet.lines for row in line.rows.values()]
    assert sum(len(row.bars) for row in rows) <= MOST_BARS
    assert sum(len(bar.words) for row in rows for bar in row.bars) == 20_000
    assert 0 < sum(len(line.missing) for line in sheet.lines) <= MOST_MISSING


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 3000))
def test_what_is_missing_is_marked_as_long_as_it_lasts(
    start: float, lasts: float, width: int
) -> None:
    """Also beyond the end of what was recorded."""
    sheet = lay_out(Transcript((), 5.0), [Missing(start, start + lasts, "why")], width_px=width)
    found = [each for line in sheet.lines for each in line.missing]
    assert found[0].start == start
    assert found[-1].end == pytest.approx(start + lasts)
    assert all(a.end == b.start for a, b in pairwise(found))
    for line in sheet.lines:
        for each in line.missing:
            begin, end = sheet.x(line, each.start), sheet.x(line, each.end)
            assert LEFT <= begin <= end <= LEFT + sheet.plot_px + 0.01
