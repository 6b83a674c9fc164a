"""Tests of `livebot.rooms.losses`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import NOTICE_S
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.losses import KEPT, Losses

ALICE, BOB = SessionId("alice"), SessionId("bob")


class Told:
    """Losses of a room in which *here* are listened to."""

    def __init__(self, *here: SessionId) -> None:
        self.here = set(here)
        self.metrics = Metrics()
        self.notices: list[tuple[SessionId, Gap]] = []
        self.losses = Losses(
            self.metrics,
            on_notice=lambda session, gap: self.notices.append((session, gap)),
            is_here=self.here.__contains__,
        )

    def counted(self, cause: Cause) -> float:
        """Return the seconds on the metrics page."""
        name = "transcription_gap_seconds_total"
        return self.metrics.registry.get_sample_value(name, {"cause": cause}) or 0.0


def gap(start: float, end: float | None, lost_s: float, cause: Cause = Cause.MEDIA) -> Gap:
    """Return a gap."""
    return Gap(cause, start, end, lost_s)


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from(Cause))
def test_every_lost_second_is_counted_once(losses: list[float], cause: Cause) -> None:
    """However often a gap is reported while it grows."""
    told, total = Told(ALICE), 0.0
    for lost_s in losses:
        total += lost_s
        told.losses.note(ALICE, gap(1.0, None, total, cause))
    told.losses.note(ALICE, gap(1.0, 2.0, total, cause))

    assert told.counted(cause) == pytest.approx(total)
    assert [each.end for _, each in told.notices] == [None] * (total >= NOTICE_S) + [2.0]
    assert told.losses.troubles == []


def test_what_begins_small_is_told_while_it_grows() -> None:
    """A bad line that stays bad is told as soon as it costs words, not once it is over."""
    told = Told(ALICE)
    for lost_s in (1.0, 2.9, 4.9, 6.9):
        told.losses.note(ALICE, gap(1.0, None, lost_s, Cause.NETWORK))

    assert [each.lost_s for _, each in told.notices] == [4.9]


@given(st.lists(st.floats(3, 100), min_size=1).map(sorted))
def test_an_outage_is_counted_while_it_lasts(looks: list[float]) -> None:
    """The metrics page moves before it is over, and does not count a second twice."""
    told = Told(ALICE)
    told.losses.note(ALICE, gap(10.0, None, 3.0))
    for now in looks:
        told.losses.tick(10.0 + now)
        assert told.counted(Cause.MEDIA) == pytest.approx(now)
    told.losses.note(ALICE, gap(10.0, 10.0 + looks[-1], looks[-1]))

    assert told.counted(Cause.MEDIA) == pytest.approx(looks[-1])


def test_what_goes_on_is_a_trouble() -> None:
    """Operators see it until it is over."""
    told = Told(ALICE, BOB)
    told.losses.note(ALICE, gap(1.0, None, 3.0, Cause.ENGINE))
    told.losses.note(BOB, gap(1.0, None, 3.0, Cause.ENGINE))
    assert told.losses.troubles == ["words are lost (engine)"]
    told.losses.note(ALICE, gap(1.0, 5.0, 4.0, Cause.ENGINE))
    assert told.losses.troubles == ["words are lost (engine)"]
    told.losses.note(BOB, gap(1.0, 5.0, 4.0, Cause.ENGINE))

    assert told.losses.troubles == []


def test_audio_lost_while_we_were_away_is_signalings() -> None:
    """The media path dies with the server that made it; later losses have causes of their own."""
    told = Told(ALICE)
    told.losses.away(10.0)
    told.losses.note(ALICE, gap(10.5, None, 3.0))
    told.losses.back(40.0, is_stranger=True)
    told.losses.note(ALICE, gap(10.5, 41.0, 30.5))
    told.losses.note(ALICE, gap(50.0, 55.0, 5.0))

    assert told.counted(Cause.SIGNALING) == pytest.approx(30.5)
    assert told.counted(Cause.MEDIA) == pytest.approx(5.0)


def test_an_outage_that_began_before_we_were_away_ends() -> None:
    """Where both ways die the media's is noticed first; it keeps its cause and is counted once."""
    told = Told(ALICE)
    told.losses.note(ALICE, gap(8.0, None, 3.0))
    told.losses.away(12.0)
    told.losses.note(ALICE, gap(8.0, None, 8.0))
    told.losses.back(20.0, is_stranger=False)
    told.losses.note(ALICE, gap(8.0, 21.0, 13.0))

    assert told.losses.troubles == []
    assert told.counted(Cause.MEDIA) == pytest.approx(13.0)
    assert told.counted(Cause.SIGNALING) == 0.0


def test_following_into_another_room_lost_nothing() -> None:
    """However long ago the connection was lost and found."""
    told = Told(ALICE)
    told.losses.away(10.0)
    told.losses.back(12.0, is_stranger=False)
    told.losses.back(3600.0, is_stranger=True)
    told.losses.caption(ALICE, Caption("hello", final=True, start=3601.0), 3602.0)

    assert told.notices == []


def test_after_a_restart_the_first_words_tell_how_long_there_were_none() -> None:
    """Nobody of before is left, so the first of those who came back is it told of, once."""
    told = Told(ALICE)
    told.losses.away(10.0)
    told.here.clear()
    told.losses.note(ALICE, gap(10.5, 30.0, 19.5))
    told.losses.back(30.0, is_stranger=True)
    told.here.add(BOB)
    for number in range(3):
        told.losses.caption(BOB, Caption("hello", final=True, start=35.0 + number), 36.0 + number)

    assert told.notices == [(BOB, gap(10.0, 35.0, 25.0, Cause.SIGNALING))]


def test_who_stayed_tells_of_the_outage_alone() -> None:
    """A speaker whose own gap was told is not interrupted twice."""
    told = Told(ALICE)
    told.losses.away(10.0)
    told.losses.back(40.0, is_stranger=True)
    told.losses.note(ALICE, gap(30.0, 40.5, 10.5))
    told.losses.caption(ALICE, Caption("hello", final=True), 45.0)

    assert [each.lost_s for _, each in told.notices] == [10.5]


def test_a_session_that_was_resumed_lost_nothing() -> None:
    """Media goes on while the signaling connection is away."""
    told = Told(ALICE)
    told.losses.away(10.0)
    told.losses.back(20.0, is_stranger=False)
    told.losses.caption(ALICE, Caption("hello", final=True), 21.0)

    assert told.notices == []


def test_several_tries_are_one_outage() -> None:
    """It began when the first connection was lost."""
    told = Told(BOB)
    for now in (10.0, 12.0, 15.0):
        told.losses.away(now)
    told.losses.back(20.0, is_stranger=True)
    told.losses.away(50.0)
    told.losses.back(51.0, is_stranger=False)
    told.losses.caption(BOB, Caption("hello", final=True, start=60.0), 61.0)

    ((_, notice),) = told.notices
    assert notice.end == 60.0


def test_few_gaps_are_kept() -> None:
    """The newest, for whoever looks."""
    told = Told(ALICE)
    for number in range(3 * KEPT):
        told.losses.note(ALICE, gap(number, number + 0.5, 0.5))

    assert [each.start for _, each in told.losses.recent] == list(range(2 * KEPT, 3 * KEPT))
