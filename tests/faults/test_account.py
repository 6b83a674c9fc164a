"""What the suite counts as lost, and as told: were this wrong, the table would say nothing."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.account import Account, Counted, Shown, Spoken, Told, account

NAMES = [
    f"{a}{b}" for a in ("river", "stone", "cloud", "maple") for b in ("bank", "house", "gate")
]
TALK = [Spoken(name, float(second)) for second, name in enumerate(NAMES)]
LATE_S = 1.0


def shown(words: list[Spoken]) -> list[Shown]:
    """Show each word in a caption of its own, a second after it."""
    return [Shown(word.text, word.at + LATE_S) for word in words]


def told_of(found: Account) -> list[tuple[str, Told]]:
    """Return what is lost and to whom that was told."""
    return [(str(run), run.told) for run in found.lost]


@settings(deadline=None)  # the first call loads the rules for English
@given(st.integers(0, len(TALK)), st.integers(0, len(TALK)))
def test_words_lost_are_those_that_are_in_no_caption(one: int, other: int) -> None:
    """Whatever stretch of a talk is missing: exactly its words are lost, in one run."""
    first, last = sorted((one, other))

    found = account(TALK, shown([*TALK[:first], *TALK[last:]]), [])

    assert [word for run in found.lost for word in run.words] == TALK[first:last]
    assert len(found.lost) == (last > first)
    assert [delivered.late_s for delivered in found.delays] == [LATE_S] * len(found.delays)


def test_word_that_was_misheard_is_delivered() -> None:
    """Another word in its place is the engine's error, and no loss."""
    captions = shown([*TALK[:3], Spoken("lantern", 3.0), *TALK[4:]])

    found = account(TALK, captions, [])

    assert not found.lost
    assert found.spoken == len(TALK)


def test_loss_without_a_notice_is_silent() -> None:
    """Nothing said and nothing counted: told to nobody. One word alone may be chance."""
    captions = shown([*TALK[:3], *TALK[7:9], *TALK[10:]])

    found = account(TALK, captions, [])

    assert [len(run.words) for run in found.lost] == [4, 1]
    assert [len(run.words) for run in found.silent] == [4]


def test_notice_tells_of_the_time_before_it() -> None:
    """Words spoken within its seconds are told of, in whoever's name it came."""
    captions = shown([*TALK[:3], *TALK[7:]])
    notice = Shown("[captions interrupted 4 s]", TALK[6].at + LATE_S)

    in_own = account(TALK, sorted([*captions, notice], key=lambda c: c.at), [])
    in_anothers = account(TALK, captions, [notice])

    assert [run.told for run in (*in_own.lost, *in_anothers.lost)] == [Told.READER] * 2
    assert in_own.notices == (notice,)


def test_notice_that_comes_late_tells_of_the_place_where_it_stands() -> None:
    """Captions that waited come with the notice among them, where the words are missing."""
    at = TALK[-1].at + 60
    captions = [*shown(TALK[:3]), Shown("[captions interrupted 4 s]", at)]
    captions += [Shown(word.text, at) for word in TALK[7:]]

    found = account(TALK, captions, [])

    assert [run.told for run in found.lost] == [Told.READER]


def test_notice_of_less_tells_of_no_more() -> None:
    """A notice of a few seconds does not excuse the loss of many."""
    captions = [*shown(TALK[:2]), Shown("[captions interrupted 1 s]", 11.0)]

    found = account(TALK, captions, [])

    assert [run.told for run in found.lost] == [Told.NOBODY]


def test_short_loss_may_be_counted_only() -> None:
    """What is too short for a notice is told to operators; what is long is not excused by that."""
    captions = shown([*TALK[:3], *TALK[6:]])
    short = account(TALK, captions, [], Counted(3.0, began=3.0, over=6.0))
    long = account(TALK, shown([*TALK[:3], *TALK[9:]]), [], Counted(30.0, began=3.0, over=9.0))

    assert [run.told for run in short.lost] == [Told.OPERATOR]
    assert [run.told for run in long.lost] == [Told.NOBODY]


def test_words_of_another_time_are_not_what_was_counted() -> None:
    """A caption that was ready before the fault and never came is lost in silence."""
    captions = shown([*TALK[:1], *TALK[4:]])

    found = account(TALK, captions, [], Counted(5.0, began=7.0, over=12.0))

    assert [run.told for run in found.lost] == [Told.NOBODY]


def test_word_that_does_not_count_is_neither_spoken_nor_lost() -> None:
    """Somebody who has just come in may not be heard yet; if they are, nothing is made up."""
    talk = [replace(word, counts=False) for word in TALK[:2]] + TALK[2:]

    unheard = account(talk, shown(TALK[2:]), [])
    heard = account(talk, shown(TALK), [])

    assert unheard.spoken == heard.spoken == len(TALK) - 2
    assert not unheard.lost
    assert not heard.made_up


def test_engine_noise_at_the_edge_of_a_gap_is_no_silent_loss() -> None:
    """A long run with one word too many at its end is still what the notice tells of."""
    before = [*shown(TALK[:2]), Shown("[captions interrupted 2 s]", TALK[7].at)]

    one_too_many = account(TALK, [*before, *shown(TALK[8:])], [])
    many_too_many = account(TALK, before, [])

    assert [run.told for run in one_too_many.lost] == [Told.READER]
    assert [run.told for run in many_too_many.lost] == [Told.NOBODY]
