"""Finals that were told already."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.feeds.events import Final
from livebot.live.told import MOST, Told


def final(name: int) -> Final:
    """Return one."""
    return Final(f"u{name}", "text", ())


@given(st.lists(st.integers(0, 20)))
def test_each_is_new_once(names: list[int]) -> None:
    """In the order in which they come."""
    told = Told()

    assert told.new(map(final, names)) == [final(name) for name in dict.fromkeys(names)]


def test_it_is_bounded() -> None:
    """The newest are remembered."""
    told = Told()
    told.new(final(number) for number in range(3 * MOST))

    assert not told.is_new(final(2 * MOST + 1))
    assert told.is_new(final(0))
