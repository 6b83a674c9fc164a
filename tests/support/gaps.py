"""What holds for any gaps that are told of one speaker and one cause."""

from itertools import pairwise

from livebot.captions.gap import Gap


def over(told: list[Gap]) -> list[Gap]:
    """Check that what was told makes sense; return the gaps that are over.

    One goes on at a time, is told again only as it grows, and ends once; none overlap.
    """
    going_on: Gap | None = None
    ended: list[Gap] = []
    for gap in told:
        if going_on is not None:
            assert (gap.cause, gap.start) == (going_on.cause, going_on.start)
            assert gap.lost_s >= going_on.lost_s
        assert gap.lost_s > 0
        going_on = gap if gap.end is None else None
        if gap.end is not None:
            assert gap.start <= gap.end
            ended.append(gap)
    assert going_on is None
    for before, after in pairwise(ended):
        assert before.end is not None
        assert before.end <= after.start
    return ended
