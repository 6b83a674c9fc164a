"""Tests of `livebot.captions.notice`.

Spec: caption-delivery/Notices
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import AGAIN_S, LANGUAGES, NOTICE_S, NoticeBoard, text
from livebot.ids import SessionId

ALICE, BOB, CAROL = SessionId("alice"), SessionId("bob"), SessionId("carol")
SECONDS = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (Gap(Cause.ENGINE, 5.0, None, 2.9), None),
        (Gap(Cause.ENGINE, 5.0, 7.9, 2.9), None),
        (Gap(Cause.ENGINE, 5.0, None, 3.0), "[captions interrupted]"),
        (Gap(Cause.SIGNALING, 5.0, 17.0, 12.0), "[captions interrupted 12 s]"),
        (Gap(Cause.MEDIA, 0.0, 120.0, 120.0), "[captions interrupted 120 s]"),
        (Gap(Cause.MEDIA, 0.0, 900.0, 300.0), "[captions interrupted 5 min]"),
        (Gap(Cause.NETWORK, 0.0, 60.0, 3.0), "[poor connection: words may be missing]"),
        (Gap(Cause.NETWORK, 0.0, None, 2.0), None),
    ],
)
def test_what_is_told_in_english(gap: Gap, expected: str | None) -> None:
    """Nothing below three seconds, that it goes on, or how much was lost."""
    assert text(gap, "en") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", "[sous-titres interrompus 12 s]"),
        ("de-AT", "[Untertitel unterbrochen 12 s]"),
        ("pt_BR", "[legendas interrompidas 12 s]"),
        ("NO", "[tekstingen ble avbrutt 12 s]"),
        ("ja", "[字幕が中断しました 12 秒]"),
        ("tlh", "[captions interrupted 12 s]"),
        ("", "[captions interrupted 12 s]"),
    ],
)
def test_it_is_told_in_the_language_of_the_room(language: str, expected: str) -> None:
    """Of whatever region; in English where we have no other words."""
    assert text(Gap(Cause.ENGINE, 0.0, 12.0, 12.0), language) == expected


@given(st.sampled_from(sorted(LANGUAGES)), st.sampled_from(Cause), SECONDS, st.booleans())
def test_every_notice_is_a_short_line_in_brackets(
    language: str, cause: Cause, lost_s: float, is_over: bool
) -> None:
    """In each language, and exactly from three seconds on; the figure is that of the loss."""
    gap = Gap(cause, 0.0, lost_s if is_over else None, lost_s)

    told = text(gap, language)

    assert (told is not None) == (lost_s >= NOTICE_S)
    if told is not None:
        assert told.startswith("[")
        assert told.endswith("]")
        assert "\n" not in told
        assert len(told) <= 80
        digits = "".join(c for c in told if c.isdigit())
        has_figure = is_over and cause is not Cause.NETWORK
        assert digits == (str(round(lost_s if lost_s <= 120 else lost_s / 60)) * has_figure)


def test_no_two_languages_have_the_same_words() -> None:
    """Nobody was given a neighbour's line by mistake."""
    gap = Gap(Cause.ENGINE, 0.0, None, 9.0)

    assert len({text(gap, language) for language in LANGUAGES}) == len(LANGUAGES)


def test_a_reader_is_told_the_same_once() -> None:
    """By the next speaker only who could not see it in his own name; again after a while."""
    board, everybody = NoticeBoard(), [ALICE, BOB, CAROL]

    assert board.readers("x", ALICE, everybody, 0.0) == everybody
    assert board.readers("x", BOB, everybody, 0.1) == [ALICE]
    assert board.readers("x", CAROL, everybody, 0.2) == []
    assert board.readers("y", CAROL, everybody, 0.2) == everybody
    assert board.readers("x", CAROL, everybody, AGAIN_S) == everybody


def test_what_may_not_have_arrived_is_told_again() -> None:
    """After a cut the board is clean."""
    board = NoticeBoard()
    board.readers("x", ALICE, [BOB], 0.0)

    board.forget()

    assert board.readers("x", ALICE, [BOB], 0.1) == [BOB]
