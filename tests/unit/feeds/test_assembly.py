"""One speaker's words become utterances."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions import text as texts
from livebot.feeds.assembly import LONG_CHARS, MOST_CHARS, PAUSE_S, THROTTLE_S, Assembly
from livebot.feeds.events import Final, Interim, Speaker
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

ANN = Speaker("1", "Ann")


def assembly(language: str = "en", idle_after: float | None = None) -> Assembly:
    """Return one that names its utterances u1, u2, ..."""
    numbers = count(1)
    return Assembly(ANN, language, name=lambda: f"u{next(numbers)}", idle_after=idle_after)


def said(text: str, start: float, *, joined: bool = False) -> Word:
    """Return a word of 0.3 s."""
    return Word(text, start, start + 0.3, joined)


words = st.builds(
    Word,
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
    ),
    st.none(),
    st.none(),
    st.booleans(),
)
events: st.SearchStrategy[SttEvent] = st.one_of(
    words, words, st.builds(Tentative, st.text(max_size=20)), st.just(Pause())
)


@given(st.lists(st.tuples(events, st.floats(0, 2)), max_size=60), st.sampled_from([None, 1.0]))
def test_every_word_is_in_one_final_in_order(
    script: list[tuple[SttEvent, float]], idle_after: float | None
) -> None:
    """Whatever an engine says and whenever; only late full stops are dropped.

    Spec: live-events/Utterances.
    """
    whole = assembly(idle_after=idle_after)
    now, made = 0.0, []
    for event, waited in script:
        now += waited
        made += whole.tick(now)
        made += whole.feed(event, now)
    made += whole.finish()

    finals = [each for each in made if isinstance(each, Final)]
    kept = [word.text for final in finals for word in final.words]
    spoken = [" ".join(e.text.split()) for e, _ in script if isinstance(e, Word)]
    spoken = [text for text in spoken if text]
    left = iter(spoken)
    dropped = []
    for text in kept:
        for other in left:
            if other == text:
                break
            dropped.append(other)
        else:
            pytest.fail(f"{text!r} was never said")
    assert all(texts.is_stop(text) for text in [*dropped, *left])


@given(st.lists(st.tuples(events, st.floats(0, 2)), max_size=60))
def test_what_is_told_of_an_utterance(script: list[tuple[SttEvent, float]]) -> None:
    """Interims come before their final and never after it; what is stable stays.

    Spec: live-events/Utterances.
    """
    whole = assembly()
    now, made = 0.0, []
    for event, waited in script:
        now += waited
        made += whole.feed(event, now)
    made += whole.finish()

    over: set[str] = set()
    stable: dict[str, str] = {}
    for each in made:
        assert each.utterance not in over
        before = stable.get(each.utterance, "")
        assert each.text.startswith(before.rstrip()) or not each.text
        if isinstance(each, Final):
            over.add(each.utterance)
            assert each.words
        else:
            stable[each.utterance] = each.text[: each.stable]


def test_a_sentence_as_it_grows() -> None:
    """Words and what is not sure yet are shown; the pause settles it."""
    whole = assembly()

    first = whole.feed(said("Good", 1.0), 1.4)
    early = whole.feed(Tentative("mor"), 1.4 + THROTTLE_S / 2)
    later = whole.tick(1.4 + THROTTLE_S)
    whole.feed(said("morning.", 1.4), 2.0)
    (done,) = whole.feed(Pause(), 2.1)

    assert [e.text for e in first] == ["Good"]
    assert early == []
    assert later == [Interim("u1", "Good mor", ANN, "en", 1.0, stable=4)]
    assert isinstance(done, Final)
    assert (done.utterance, done.text, done.start, done.end) == ("u1", "Good morning.", 1.0, 1.7)


def test_what_was_never_sure_is_taken_back() -> None:
    """Readers see nothing of it any more."""
    whole = assembly()

    shown = whole.feed(Tentative("hm"), 0.0)
    (back,) = whole.feed(Pause(), 1.0)

    assert [e.text for e in shown] == ["hm"]
    assert back == Interim("u1", "", ANN, "en")


def test_a_long_silence_parts_words_of_engines_that_tell_no_pauses() -> None:
    """By their times, or by the time that passes."""
    timed, untimed = assembly(), assembly(idle_after=1.0)

    timed.feed(said("one", 0.0), 0.5)
    by_times = timed.feed(said("two", 0.3 + PAUSE_S), 2.2)
    untimed.feed(Word("one"), 0.0)
    at = untimed.next_deadline
    by_waiting = untimed.tick(1.0)

    assert [e.text for e in by_times if isinstance(e, Final)] == ["one"]
    assert at == 1.0
    assert [e.text for e in by_waiting if isinstance(e, Final)] == ["one"]


def test_an_endless_speaker_is_cut_at_a_sentence() -> None:
    """And without one where it is too long."""
    ends, endless = assembly(), assembly()

    sentences = [
        ends.feed(said("words" + "." * (n % 9 == 8), n * 0.3), n * 0.3) for n in range(99)
    ]
    runs = [endless.feed(said("words", n * 0.3), n * 0.3) for n in range(300)]

    cut = [e for made in sentences for e in made if isinstance(e, Final)]
    assert cut
    assert all(e.text.endswith(".") for e in cut)
    assert all(LONG_CHARS <= len(e.text) < LONG_CHARS + 60 for e in cut)
    long = [e for made in runs for e in made if isinstance(e, Final)]
    assert long
    assert all(len(e.text) <= MOST_CHARS + 6 for e in long)


def test_a_stop_that_comes_late_is_dropped() -> None:
    """Its utterance is complete, and it would stand alone."""
    whole = assembly()
    whole.feed(said("Yes", 0.0), 0.0)
    whole.feed(Pause(), 1.0)

    assert whole.feed(Word(".", joined=True), 1.1) == []
    assert whole.finish() == []


def test_parts_of_words_stay_together() -> None:
    """No space, and no cut between them, whatever their times."""
    whole = assembly()

    whole.feed(said("won", 0.0), 0.0)
    whole.feed(said("der", 5.0, joined=True), 5.0)
    (done,) = whole.finish()

    assert done.text == "wonder"
