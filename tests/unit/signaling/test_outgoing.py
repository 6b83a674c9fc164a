"""Tests of `livebot.signaling.outgoing`.

Spec: signaling-session/Limit of a message
"""

from hypothesis import given
from hypothesis import strategies as st

from livebot.signaling.outgoing import LEAST_LIMIT_BYTES, MOST_BYTES, TOO_BIG, Outgoing


@given(st.lists(st.text(max_size=5) | st.just("ö" * MOST_BYTES), max_size=10))
def test_messages_keep_their_order_and_none_is_too_long(texts: list[str]) -> None:
    """What fits the limit in bytes goes out as it came; the rest is counted."""
    outgoing = Outgoing()
    for text in texts:
        outgoing.put(text)

    out = outgoing.take()

    assert out == [text for text in texts if len(text.encode()) <= MOST_BYTES]
    assert len(out) + outgoing.too_long == len(texts)
    assert not outgoing


@given(st.integers(LEAST_LIMIT_BYTES, MOST_BYTES), st.integers(1, MOST_BYTES))
def test_a_lower_limit_is_learned_from_its_first_victims(limit: int, size: int) -> None:
    """A peer whose limit is lower ends finitely many connections for one message."""
    outgoing, sizes = Outgoing(), list[int]()
    for _ in range(3):
        outgoing.put("x" * size)
        sizes += [len(text) for text in outgoing.take()]
        if sizes and sizes[-1] <= limit:
            return
        outgoing.clear(TOO_BIG)

    assert len(sizes) == 1


def test_other_ends_of_a_connection_teach_nothing() -> None:
    """And what was not taken is forgotten with it."""
    outgoing = Outgoing()
    outgoing.put("x" * 10_000)
    outgoing.clear(1006)
    assert outgoing.take() == []

    outgoing.put("x" * 10_000)

    assert len(outgoing.take()) == 1


def test_an_answer_to_an_offer_always_fits() -> None:
    """However often a server complains, small messages are sent."""
    outgoing = Outgoing()
    for _ in range(3):
        outgoing.put("x" * 100)
        outgoing.clear(TOO_BIG)

    outgoing.put("x" * LEAST_LIMIT_BYTES)

    assert len(outgoing.take()) == 1


@given(st.integers(1, 100))
def test_every_message_has_an_id_of_its_own(count: int) -> None:
    """Over all connections, so that a late answer is never taken for another's."""
    outgoing = Outgoing()

    assert len({outgoing.next_id() for _ in range(count)}) == count
