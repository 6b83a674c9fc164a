"""Who publishes and who listens."""

import itertools

import pytest

from livebot.demo import exchange
from livebot.demo.exchange import Exchange
from livebot.demo.wire import RefusedError
from livebot.ids import SessionId

ADA, GRACE = SessionId("ada"), SessionId("grace")


def publishing() -> Exchange:
    """Return an exchange to which Ada publishes."""
    ids = itertools.count(1)
    made = Exchange(lambda: f"sid{next(ids)}")
    made.publish(ADA, "p1", "offer", "1")
    assert made.published(ADA, "p1")
    made.commands_to_do()
    return made


def test_newest_subscription_replaces_the_one_before() -> None:
    """Asking again without a sid gives a new one, and the old one is closed first."""
    made = publishing()

    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)
    made.request_offer(GRACE, ADA, sid="", request="2", now=0.0)

    assert made.commands_to_do() == [
        exchange.Subscribe(GRACE, ADA, "sid1", "1"),
        exchange.Unsubscribe("sid1"),
        exchange.Subscribe(GRACE, ADA, "sid2", "2"),
    ]
    assert not made.is_offered(GRACE, ADA, "sid1")
    assert made.is_offered(GRACE, ADA, "sid2")


def test_asking_with_the_current_sid_offers_again() -> None:
    """It renegotiates instead of replacing."""
    made = publishing()
    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)
    made.commands_to_do()

    made.request_offer(GRACE, ADA, sid="sid1", request="2", now=0.0)

    assert made.commands_to_do() == [exchange.Subscribe(GRACE, ADA, "sid1", "2")]


@pytest.mark.parametrize(("sid", "taken"), [("sid1", True), ("", True), ("other", False)])
def test_answer_must_be_for_the_current_subscription(sid: str, taken: bool) -> None:
    """By its sid or without one; a wrong one is refused."""
    made = publishing()
    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)
    made.commands_to_do()

    if taken:
        made.answer(GRACE, ADA, sid=sid, sdp="answer", request="2")
        assert made.commands_to_do() == [exchange.Answered(GRACE, "sid1", "answer", "2")]
    else:
        with pytest.raises(RefusedError):
            made.answer(GRACE, ADA, sid=sid, sdp="answer", request="2")


def test_candidates_go_to_ones_own_publication_or_to_the_subscription() -> None:
    """To oneself they are the publication's, to a speaker the subscription's."""
    made = publishing()
    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)
    made.commands_to_do()

    made.candidate(ADA, ADA, sid="p1", candidate="a", mid="0", index=0)
    made.candidate(GRACE, ADA, sid="sid1", candidate="b", mid=None, index=None)

    assert made.commands_to_do() == [
        exchange.Candidate(ADA, "a", "0", 0),
        exchange.Candidate("sid1", "b", None, None),
    ]
    with pytest.raises(RefusedError):
        made.candidate(GRACE, GRACE, sid="", candidate="c", mid=None, index=None)


def test_new_publication_ends_the_subscriptions_of_the_old() -> None:
    """A second offer with another sid is a new publication; with the same it goes on."""
    made = publishing()
    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)
    made.commands_to_do()

    made.publish(ADA, "p1", "more", "2")
    assert made.commands_to_do() == [exchange.Publish(ADA, "p1", "more", "2")]
    made.publish(ADA, "p2", "new", "3")

    assert made.commands_to_do() == [
        exchange.Unsubscribe("sid1"),
        exchange.Unpublish(ADA),
        exchange.Publish(ADA, "p2", "new", "3"),
    ]


def test_late_answer_of_the_sfu_for_an_old_publication_counts_for_nothing() -> None:
    """Who left meanwhile is not live again."""
    made = publishing()
    made.leave(ADA)
    made.commands_to_do()

    assert not made.published(ADA, "p1")
    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)

    assert made.commands_to_do() == []


def test_who_leaves_is_offered_nothing_any_more() -> None:
    """A request that waited is dropped with the one who asked."""
    made = Exchange(lambda: "sid")
    made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)

    made.leave(GRACE)

    assert made.expire(exchange.HOLD_S) == []
    assert made.next_deadline is None


def test_requests_that_wait_are_bounded() -> None:
    """One more than the limit is refused."""
    made = Exchange(lambda: "sid")
    for _ in range(exchange.MAX_HELD):
        made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)

    with pytest.raises(RefusedError):
        made.request_offer(GRACE, ADA, sid="", request="1", now=0.0)
