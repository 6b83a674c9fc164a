"""When subtitles are shown."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from livebot.transcripts.cues import cues, text_of
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean
from tests.support.transcripts import says, some, transcripts, utterances


@some
@given(transcripts(), st.booleans(), st.booleans())
def test_all_cues_together_are_the_text(said: Transcript, words: bool, named: bool) -> None:
    """In order. Spec: transcripts/Subtitles."""
    found = cues(said, words=words, named=named)

    text = " ".join(text_of(line) for cue in found for line in cue.lines)
    assert "".join(text.split()) == "".join(clean(said.text).split())


@some
@given(st.lists(utterances(), max_size=3), st.lists(utterances(), max_size=3), st.booleans())
def test_times_increase_and_no_cue_is_empty(
    one: list[Utterance], other: list[Utterance], words: bool
) -> None:
    """Also where people speak at the same time. Spec: transcripts/Subtitles."""
    people = [Utterance(each.words, "A") for each in one]
    people += [Utterance(each.words, "B") for each in other]

    found = cues(Transcript(tuple(people), 99.0), words=words)

    assert all(cue.start_ms < cue.end_ms and cue.lines for cue in found)
    assert all(a.start_ms < b.start_ms for a, b in pairwise(found))
    for speaker in "AB":
        theirs = [cue for cue in found if cue.speaker == speaker]
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(theirs))


def test_short_cues_stay_long_enough_to_be_read() -> None:
    """But never into what is said next."""
    said = [says("Yes.", begin=1), says("No.", begin=1.6), says("Well.", begin=9)]
    found = cues(Transcript(tuple(said), 20.0))
    assert [(cue.start_ms, cue.end_ms) for cue in found] == [
        (1000, 1600),
        (1600, 2600),
        (9000, 10_000),
    ]


def test_who_speaks_at_the_same_time_is_shown_at_the_same_time() -> None:
    """Each cue keeps its own times."""
    said = [says(*["long"] * 10, speaker="A"), says("Hm.", begin=2, speaker="B")]
    found = cues(Transcript(tuple(said), 20.0))
    assert [(c.speaker, c.start_ms, c.end_ms) for c in found] == [
        ("A", 0, 4000),
        ("B", 2000, 3000),
    ]


def test_each_word_can_be_a_cue() -> None:
    """With times of its own."""
    said = Transcript((says("And", "so,", "my"),), 2.0)
    found = cues(said, words=True)
    assert [(text_of(c.lines[0]), c.start_ms) for c in found] == [
        ("And", 0),
        ("so,", 400),
        ("my", 800),
    ]


def test_names_take_room_on_the_first_line() -> None:
    """A long name leaves room for words all the same."""
    said = Transcript((says(*["word"] * 30, speaker="S" * 60),), 2.0)
    for cue in cues(said, named=True):
        assert len(text_of(cue.lines[0])) <= 20
