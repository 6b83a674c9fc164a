"""Requests that are sent a second time."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.api.replays import MOST, REMEMBERED_S, Replays

PARTS = st.tuples(st.text(max_size=5), st.text(max_size=5))


@given(st.lists(PARTS, max_size=30))
def test_each_request_is_new_once(requests: list[tuple[str, str]]) -> None:
    """Whatever came before, a request is new exactly the first time. Spec: access/Replays."""
    replays = Replays()
    seen: set[tuple[str, str]] = set()
    for now, parts in enumerate(requests):
        if "\0" not in "".join(parts):
            assert replays.is_new(*parts, now=now) == (parts not in seen)
            seen.add(parts)


def test_parts_do_not_run_together() -> None:
    """The end of one part is not the begin of the next."""
    replays = Replays()
    assert replays.is_new("ab", "c", now=0)
    assert replays.is_new("a", "bc", now=0)


def test_it_is_forgotten_in_time() -> None:
    """Nobody remembers for ever."""
    replays = Replays()
    assert replays.is_new("r", now=0.0)
    assert not replays.is_new("r", now=REMEMBERED_S - 1)
    assert replays.is_new("r", now=REMEMBERED_S)
    assert len(replays) == 1


def test_the_memory_is_bounded() -> None:
    """A flood pushes the oldest out, and no more than is needed."""
    replays = Replays()
    for number in range(MOST + 10):
        assert replays.is_new(str(number), now=0.0)
    assert len(replays) == MOST
    assert not replays.is_new(str(MOST + 9), now=0.0)
    assert replays.is_new("0", now=0.0)
