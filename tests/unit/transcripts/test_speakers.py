"""Who said which words."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.diarize.turns import Turn
from livebot.stt.engine import Word
from livebot.transcripts.model import Utterance
from livebot.transcripts.speakers import assign

A, B, C = 4, 0, 9
"""Numbers of speakers: any that differ."""


def say(text: str, at_s: float = 0.0, *, step_s: float = 0.5) -> Utterance:
    """Return words, `step_s` each, one after the other."""
    return Utterance(
        tuple(
            Word(word, at_s + i * step_s, at_s + (i + 1) * step_s)
            for i, word in enumerate(text.split())
        )
    )


def told(utterances: tuple[Utterance, ...]) -> list[tuple[str, str]]:
    """Return who says what."""
    return [(utterance.speaker, utterance.text) for utterance in utterances]


def test_an_utterance_is_parted_where_the_speaker_changes() -> None:
    """Each part is named after who speaks."""
    parts = assign([say("how are you fine thanks")], [Turn(0.0, 1.5, A), Turn(1.5, 2.5, B)])

    assert told(parts) == [("SPEAKER_1", "how are you"), ("SPEAKER_2", "fine thanks")]


def test_speakers_are_numbered_in_the_order_in_which_they_speak() -> None:
    """Whoever has turns but no words has no number."""
    turns = [Turn(0.0, 1.0, C), Turn(1.0, 2.0, A), Turn(2.0, 3.0, C), Turn(9.0, 9.5, B)]

    parts = assign([say("one two", 0.0), say("three four", 1.0), say("five six", 2.0)], turns)

    assert [each.speaker for each in parts] == ["SPEAKER_1", "SPEAKER_2", "SPEAKER_1"]


def test_a_word_is_whose_turn_it_overlaps_most() -> None:
    """All turns of a speaker count together."""
    # His two stretches together are more than the other's one.
    turns = [Turn(0.0, 0.3, A), Turn(0.3, 0.65, B), Turn(0.65, 1.0, A), Turn(5.0, 6.0, B)]

    assert told(assign([say("word", step_s=1.0)], turns)) == [("SPEAKER_1", "word")]
    assert assign([say("word", step_s=1.0), say("next", 5.0)], turns)[1].speaker == "SPEAKER_2"


def test_a_word_outside_of_all_turns_is_of_the_nearest() -> None:
    """Before, between and after turns."""
    turns = [Turn(0.0, 1.0, A), Turn(4.0, 5.0, B)]

    parts = assign([say("a", 0.2), say("b", 1.9), say("c", 3.1), say("d", 9.0)], turns)

    assert [each.speaker[-1] for each in parts] == ["1", "1", "2", "2"]


def test_a_single_word_that_both_may_have_said_does_not_change_the_speaker() -> None:
    """The other one goes on speaking meanwhile."""
    turns = [Turn(0.0, 5.0, A), Turn(0.9, 1.6, B)]

    assert len(assign([say("this is not a change")], [*turns, Turn(1.0, 1.5, B)])) == 1


def test_a_single_word_goes_to_its_neighbours_where_its_turn_hardly_covers_it() -> None:
    """Most of it is in a pause."""
    turns = [Turn(0.0, 1.0, A), Turn(1.4, 1.6, B), Turn(1.6, 3.0, A)]

    assert len(assign([say("this is not a change")], turns)) == 1


def test_a_single_word_said_while_the_other_is_silent_stays() -> None:
    """A short answer is an answer."""
    turns = [Turn(0.0, 1.0, A), Turn(1.0, 1.5, B), Turn(1.5, 3.0, A)]

    parts = assign([say("you see yes so then it")], turns)

    assert told(parts) == [
        ("SPEAKER_1", "you see"),
        ("SPEAKER_2", "yes"),
        ("SPEAKER_1", "so then it"),
    ]


def test_an_ending_stays_with_its_word() -> None:
    """No part begins with what is joined to another."""
    words = (Word("it", 0.0, 0.4), Word("'s", 0.4, 0.9, joined=True), Word("me", 0.9, 1.6))

    parts = assign([Utterance(words)], [Turn(0.0, 0.5, A), Turn(0.5, 2.0, B)])

    assert all(not part.words[0].joined for part in parts)


def test_without_turns_nobody_is_named() -> None:
    """Nothing changes."""
    utterances = (say("who is it"),)

    assert assign(utterances, []) == utterances


def test_words_without_times_follow_the_ones_before() -> None:
    """They are spoken when the word before them ends."""
    words = (Word("one", 0.0, 0.5), Word("two"), Word("three", 3.0, 3.5), Word("four"))

    parts = assign([Utterance(words)], [Turn(0.0, 1.0, A), Turn(2.5, 4.0, B)])

    assert [part.text for part in parts] == ["one two", "three four"]


rarely = st.integers(0, 4).map(lambda n: n == 0)
times = st.integers(0, 300).map(lambda tenths: tenths / 10)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Utterance], list[Turn]]:
    """Draw words in order, some without times, and turns that may overlap."""
    starts = sorted(draw(st.lists(times, min_size=1, max_size=30)))
    words = [
        Word(str(number), start, start + draw(st.integers(0, 9)) / 10, draw(rarely))
        if draw(st.booleans())
        else Word(str(number), joined=draw(rarely))
        for number, start in enumerate(starts)
    ]
    cuts = sorted({0, len(words), *draw(st.lists(st.integers(0, len(words)), max_size=6))})
    utterances = [Utterance(tuple(words[a:b]), language="en") for a, b in pairwise(cuts)]
    spans = st.tuples(times, st.integers(1, 50), st.integers(0, 4))
    turns = [Turn(at, at + tenths / 10, who) for at, tenths, who in draw(st.lists(spans))]
    return utterances, turns


def words_of(utterances: list[Utterance] | tuple[Utterance, ...]) -> list[Word]:
    """Return all words."""
    return [word for utterance in utterances for word in utterance.words]


@given(conversations())
def test_no_word_is_lost_moved_or_changed(
    conversation: tuple[list[Utterance], list[Turn]],
) -> None:
    """Also those that are in no turn, or have no times."""
    utterances, turns = conversation

    parts = assign(utterances, turns)

    assert words_of(parts) == words_of(utterances)
    assert all(part.words and part.language == "en" for part in parts)


@given(conversations())
def test_utterances_are_parted_and_never_joined(
    conversation: tuple[list[Utterance], list[Turn]],
) -> None:
    """Where an utterance began, one begins."""
    utterances, turns = conversation

    firsts = [part.words[0] for part in assign(utterances, turns)]

    assert all(utterance.words[0] in firsts for utterance in utterances)


@given(conversations())
def test_names_count_from_one_without_gaps(
    conversation: tuple[list[Utterance], list[Turn]],
) -> None:
    """In the order in which they appear."""
    utterances, turns = conversation

    names = list(dict.fromkeys(part.speaker for part in assign(utterances, turns)))

    expected = [f"SPEAKER_{n + 1}" for n in range(len(names))]
    assert names == (expected if turns else [""])


@given(conversations(), st.permutations(range(5)))
def test_numbers_of_speakers_mean_nothing_where_one_speaks_at_a_time(
    conversation: tuple[list[Utterance], list[Turn]], order: list[int]
) -> None:
    """Other numbers in the turns give the same names."""
    utterances, drawn = conversation
    ends = sorted({t for turn in drawn for t in (turn.start, turn.end)})
    turns = [Turn(a, b, i % 5) for i, (a, b) in enumerate(pairwise(ends)) if b - a > 0.15]
    # Only words that lie within one turn: on a tie the lower number has the word.
    clear = [
        each
        for each in utterances
        if all(
            w.start is not None
            and w.end is not None
            and any(t.start < w.start and w.end < t.end for t in turns)
            for w in each.words
        )
    ]

    renamed = [Turn(turn.start, turn.end, order[turn.speaker]) for turn in turns]

    assert assign(clear, renamed) == assign(clear, turns)
