"""Tests of `livebot.rooms.outage`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import NOTICE_S
from livebot.rooms.outage import AGAIN_S, LEAST_S, UNCERTAIN_S, Outage
from tests.support.gaps import over

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "begin", "confirm", "tick", "heard", "guess", "over", "flush"]),
        st.sampled_from([0.0, 0.02, 0.6, 3.0, 5.0]),
        st.sampled_from([0.0, 0.1, 1.0, 2.0]),
    ),
    max_size=60,
)


def certain(since: float) -> Outage:
    """Return one that is the media server's."""
    outage = Outage()
    outage.begin(since)
    outage.confirm()
    return outage


@given(STEPS)
def test_what_is_told_makes_sense(steps: list[tuple[str, float, float]]) -> None:
    """Whatever happens: what is begun is ended, nothing overlaps, no more is lost than passed."""
    outage, now, told = Outage(), 0.0, list[Gap]()
    for kind, passed, lost_s in steps:
        now += passed
        match kind:
            case "begin":
                outage.begin(now - lost_s)
            case "confirm":
                outage.confirm()
            case "tick":
                told += outage.tick(now)
            case "heard" | "guess" if outage.since is not None:
                told += outage.heard(now, 0.02, lost_s, concealed=kind == "guess")
            case "over":
                told += outage.over(now)
            case _:
                told += outage.flush(now)
    told += outage.flush(now)

    for gap in over(told):
        assert gap.cause is Cause.MEDIA
        assert gap.end is not None
        assert gap.lost_s <= gap.end - gap.start + 1e-9


def test_a_long_one_is_told_while_it_goes_on() -> None:
    """At its third second, again as it grows, and when audio is back."""
    outage = certain(10.0)
    outage.begin(11.0)

    assert outage.tick(10.0 + NOTICE_S - 0.01) == []
    assert outage.tick(13.0) == [Gap(Cause.MEDIA, 10.0, None, 3.0)]
    assert outage.tick(13.0 + AGAIN_S - 0.01) == []
    assert outage.tick(18.0) == [Gap(Cause.MEDIA, 10.0, None, 8.0)]
    assert outage.over(22.0) == [Gap(Cause.MEDIA, 10.0, 22.0, 12.0)]
    assert outage.over(22.0) == []


def test_a_short_one_after_a_long_one_is_told_to_nobody() -> None:
    """Each is judged by itself."""
    outage = certain(10.0)
    outage.tick(14.0)
    outage.over(15.0)
    outage.begin(20.0)

    assert outage.over(20.0 + LEAST_S / 2) == []


@pytest.mark.parametrize(("length_s", "count"), [(LEAST_S - 0.01, 0), (LEAST_S, 1), (2.9, 1)])
def test_a_short_one_is_told_when_it_is_over(length_s: float, count: int) -> None:
    """Unless it is too short for a word, as when one connection replaces another."""
    outage = Outage()
    outage.begin(10.0)

    assert outage.tick(10.0 + length_s) == []
    assert len(outage.over(10.0 + length_s)) == count


def test_what_was_not_sent_is_not_lost() -> None:
    """Where packet numbers tell that most of the time nothing was sent, that is believed."""
    outage = Outage()
    outage.begin(10.0)

    assert outage.heard(12.0, 0.1, 0.3, concealed=True) == []
    assert outage.heard(12.0, 0.02, 0.4, concealed=False) == [
        Gap(Cause.MEDIA, 10.0, 12.0, pytest.approx(0.8))  # type: ignore[arg-type]
    ]


def test_somebody_who_leaves_is_not_announced() -> None:
    """Their connection ends shortly before we hear that they left."""
    outage = Outage()
    outage.begin(10.0)

    assert outage.flush(12.0) == []
    assert outage.since is None


def test_somebody_who_leaves_ends_what_was_told() -> None:
    """Otherwise it would be shown for ever."""
    outage = certain(10.0)
    outage.tick(14.0)

    assert outage.flush(15.0) == [Gap(Cause.MEDIA, 10.0, 15.0, 5.0)]


def test_one_that_may_be_the_speakers_own_doing_is_told_later() -> None:
    """Not before the server must have said that they are gone; and each is judged anew."""
    outage = certain(10.0)
    outage.tick(20.0)
    outage.over(20.0)
    outage.begin(30.0)

    assert outage.tick(30.0 + UNCERTAIN_S - 0.01) == []
    assert len(outage.tick(30.0 + UNCERTAIN_S)) == 1


def test_a_speaker_who_is_gone_lost_no_words() -> None:
    """Nobody heard them: that is no gap, unless a fault was seen before."""
    gone, fault = Outage(), certain(10.0)
    gone.begin(10.0)
    gone.dismiss()
    fault.dismiss()

    assert gone.since is None
    assert gone.over(20.0) == []
    assert fault.since == 10.0
