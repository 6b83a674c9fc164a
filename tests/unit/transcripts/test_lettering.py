"""Words on a picture."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.engine import Word
from livebot.transcripts.lettering import Label, labels, shortened, text_px
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.sheet import LEFT, lay_out
from tests.support.transcripts import says, some, transcripts


def written(said: Transcript) -> list[Label]:
    """Return what is written on the first row of the first line."""
    sheet = lay_out(said)
    line = sheet.lines[0]
    return labels(sheet, line, line.rows[0])[0]


@some
@given(transcripts())
def test_no_word_lies_on_another(said: Transcript) -> None:
    """Nor beyond the end of its line."""
    sheet = lay_out(said)
    for line in sheet.lines:
        for row in line.rows.values():
            found, _ = labels(sheet, line, row, ["before"])
            assert all(a.x + text_px(a.text) < b.x for a, b in pairwise(found))
            assert all(each.x >= LEFT for each in found)
            assert all(
                each.x + text_px(each.text) <= LEFT + sheet.plot_px + 0.01 for each in found
            )


def test_words_are_where_their_sound_is() -> None:
    """Where there is room."""
    said = Transcript((says("one", "two", "three", each_s=2.0),), 9.0)
    found = written(said)
    assert [each.text for each in found] == ["one", "two", "three"]
    second = 1072 / 10
    assert [each.x - LEFT for each in found] == pytest.approx([4.0, 2 * second, 4 * second])


def test_words_near_each_other_all_find_a_place() -> None:
    """Before and after their sound, but within their bar."""
    words = (
        Word("extraordinary", 0.0, 0.2),
        Word("circumstances", 0.2, 0.4),
        Word("so", 3.0, 4.0),
    )
    found = written(Transcript((Utterance(words),), 9.0))
    assert [each.text for each in found] == ["extraordinary", "circumstances", "so"]
    last = (Word("so", 0.0, 0.2), Word("extraordinary", 2.7, 2.8), Word("circumstances", 2.8, 3.0))
    found = written(Transcript((Utterance(last),), 9.0))
    assert [each.text for each in found] == ["so", "extraordinary", "circumstances"]
    assert found[-1].x + text_px("circumstances") <= LEFT + 3 * 107.2


def test_what_does_not_fit_ends_with_dots() -> None:
    """The words before are whole."""
    said = Transcript((says(*["hippo"] * 8, each_s=0.1), says("b", begin=1.0)), 9.0)
    found = written(said)
    assert [each.text for each in found] == ["hippo", "hippo…", "b"]


def test_what_does_not_fit_at_the_end_of_a_line_begins_the_next() -> None:
    """Where the same person goes on; else it ends with dots."""
    words = ("hippo", "hippo", "rhino", "zebra")
    said = Transcript((says(*words, "gnu", each_s=0.1, begin=9.3), says("b", begin=9.9)), 15.0)
    sheet = lay_out(Transcript((says(*words, "gnu", each_s=0.15, begin=9.3),), 15.0))
    first, second = sheet.lines
    found, left = labels(sheet, first, first.rows[0])
    assert ([each.text for each in found], left) == (["hippo"], ["hippo", "rhino", "zebra", "gnu"])
    found, left = labels(sheet, second, second.rows[0], left)
    assert ([each.text for each in found], left) == (["hippo", "rhino", "zebra", "gnu"], [])
    assert [each.text for each in written(said)] == ["hippo…"]


def test_of_hours_there_is_running_text() -> None:
    """As much as fits into a bar, and nothing where that is no word."""
    said = Transcript((says(*["hippopotamus"] * 80, each_s=1.0), says("b", begin=100)), 3600.0)
    (found,) = written(said)
    assert found.text.startswith("hippopotamus hippopotamus hip")
    assert found.text.endswith("…")


@given(st.text(), st.floats(1, 300))
def test_what_is_shortened_fits(text: str, room: float) -> None:
    """Or is three dots."""
    found = shortened(text, room)
    assert text_px(found) <= max(room, text_px("…"))
    assert found == text or text.startswith(found[:-1])


@pytest.mark.parametrize(
    ("text", "px"), [("", 0), ("ill", 12.24), ("国", 16.8), ("e\u0301", 7.44)]
)
def test_widths(text: str, px: float) -> None:
    """Narrow letters, ideographs, and accents, which take no room."""
    assert text_px(text) == pytest.approx(px)
