"""Words and pauses become captions."""

import itertools
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions import text as texts
from livebot.captions.caption import Caption
from livebot.captions.segmenter import HOLD_S, THROTTLE_S, Mode, Segmenter
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

MODES: tuple[Mode, ...] = ("append", "replace")
LANGUAGES = ("en", "zh", "ja", "de", "th")
both = pytest.mark.parametrize("mode", MODES)

TEXTS = st.one_of(
    st.sampled_from(
        ["I", "so", "we", "went.", "Mr.", "3.", "really?", ",", ".", "(", "東京", "。", "ครับ"]
    ),
    st.text("ab我เ.", min_size=1, max_size=12),
)
BARE_WORDS = st.builds(Word, TEXTS.filter(lambda text: not texts.is_stop(text)))
WORDS_IN_PARTS = st.builds(Word, TEXTS, joined=st.booleans())
OTHERS = st.one_of(st.just(Pause()), st.builds(Tentative, st.text("ab c", max_size=60)))
STEPS = st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.5, 1.0, 2.0])


def timed(words: st.SearchStrategy[Word]) -> st.SearchStrategy[list[tuple[SttEvent, float]]]:
    """Return events, each with the seconds since the one before."""
    return st.lists(st.tuples(st.one_of(words, words, OTHERS), STEPS), max_size=40)


def run(segmenter: Segmenter, events: Iterable[tuple[SttEvent, float]]) -> list[Caption]:
    """Feed events in time, tick at every deadline between them, and finish."""
    now, out = 100.0, []
    for event, step in events:
        now += step
        while (due := segmenter.next_deadline) is not None and due <= now:
            out += segmenter.tick(due)
            assert segmenter.next_deadline != due, "what was due was not done"
        out += segmenter.feed(event, now)
    return out + segmenter.finish()


def finals(captions: Iterable[Caption]) -> list[Word]:
    """Return the final captions, to be joined as a client that knows spaces joins them."""
    return [Word(caption.text) for caption in captions if caption.final]


def said(events: Iterable[tuple[SttEvent, float]]) -> list[Word]:
    """Return the words among events."""
    return [event for event, _ in events if isinstance(event, Word)]


def letters(words: Iterable[Word]) -> str:
    """Return the words' text without any space, and without stops, which may come too late."""
    return "".join(c for word in words for c in word.text if not (c.isspace() or texts.is_stop(c)))


@given(st.sampled_from(MODES), st.sampled_from(LANGUAGES), timed(BARE_WORDS))
def test_final_captions_are_the_words(
    mode: Mode, language: str, events: list[tuple[SttEvent, float]]
) -> None:
    """Joining the final captions gives back what was said, whatever the timing."""
    captions = run(Segmenter(mode, language), events)

    assert texts.join(finals(captions), language) == texts.join(said(events), language)


@given(
    st.sampled_from(MODES), st.sampled_from(LANGUAGES), timed(WORDS_IN_PARTS), st.integers(1, 20)
)
def test_no_letter_is_lost_or_doubled(
    mode: Mode, language: str, events: list[tuple[SttEvent, float]], max_chars: int
) -> None:
    """Words in parts, words that are too long, any timing: the same letters in order."""
    captions = run(Segmenter(mode, language, max_chars=max_chars), events)

    assert letters(finals(captions)) == letters(said(events))


@given(
    st.sampled_from(MODES), st.sampled_from(LANGUAGES), timed(WORDS_IN_PARTS), st.integers(1, 20)
)
def test_captions_are_short_and_never_empty(
    mode: Mode, language: str, events: list[tuple[SttEvent, float]], max_chars: int
) -> None:
    """No caption is longer than allowed, blank, or has white space around it."""
    captions = run(Segmenter(mode, language, max_chars=max_chars), events)

    assert all(0 < len(caption.text) <= max_chars for caption in captions)
    assert all(caption.text == caption.text.strip() for caption in captions)


@given(st.sampled_from(MODES), st.sampled_from(LANGUAGES), timed(WORDS_IN_PARTS))
def test_a_stop_never_stands_alone(
    mode: Mode, language: str, events: list[tuple[SttEvent, float]]
) -> None:
    """It is with its word, or, when that was sent before, nowhere."""
    captions = run(Segmenter(mode, language), events)

    assert not [caption for caption in captions if caption.final and texts.is_stop(caption.text)]


@given(st.sampled_from(LANGUAGES), timed(WORDS_IN_PARTS))
def test_appended_captions_are_final(language: str, events: list[tuple[SttEvent, float]]) -> None:
    """A client that appends everything never sees a word twice."""
    assert all(caption.final for caption in run(Segmenter("append", language), events))


@given(st.sampled_from(LANGUAGES), timed(BARE_WORDS))
def test_timing_and_mode_do_not_change_the_text(
    language: str, events: list[tuple[SttEvent, float]]
) -> None:
    """At once or slowly, appended or replaced: the same words with the same spaces."""
    at_once = [(event, 0.0) for event, _ in events]
    ways = [
        run(Segmenter(mode, language), timing)
        for mode, timing in itertools.product(MODES, (events, at_once))
    ]

    assert len({texts.join(finals(captions), language) for captions in ways}) == 1


@given(timed(WORDS_IN_PARTS))
def test_partials_come_no_faster_than_the_throttle(events: list[tuple[SttEvent, float]]) -> None:
    """Readers get at most five changes a second, however fast the engine is."""
    segmenter, now, shown = Segmenter("replace", "en"), 0.0, []
    for event, step in events:
        now += step / 10
        shown += [now for caption in segmenter.feed(event, now) if not caption.final]

    assert all(b - a >= THROTTLE_S - 1e-9 for a, b in itertools.pairwise(shown))


def feeder(segmenter: Segmenter) -> Callable[..., list[str]]:
    """Return a function that feeds bare words and returns the captions' texts."""

    def feed(text: str, now: float, *, joined: bool = False) -> list[str]:
        return [c.text for c in segmenter.feed(Word(text, joined=joined), now)]

    return feed


def shown(captions: Iterable[Caption]) -> list[tuple[str, bool]]:
    """Return what readers see of captions."""
    return [(caption.text, caption.final) for caption in captions]


class TestAppend:
    """Each piece once."""

    def test_words_are_gathered_for_a_moment(self) -> None:
        """A piece leaves when its first word has waited for the delay, not before."""
        segmenter = Segmenter("append", "en", piece_delay=0.3)
        feed = feeder(segmenter)

        assert feed("one", 10.0) == []
        assert feed("two", 10.2) == []
        assert segmenter.next_deadline == 10.3
        assert segmenter.tick(10.299) == []
        assert shown(segmenter.tick(10.3)) == [("one two", True)]
        assert segmenter.next_deadline is None

    def test_a_sentence_leaves_at_once(self) -> None:
        """Its end waits for nothing."""
        feed = feeder(Segmenter("append", "en"))

        assert feed("It", 0.0) == []
        assert feed("works.", 0.1) == ["It works."]

    def test_a_pause_sends_what_is_held(self) -> None:
        """The speaker is done."""
        segmenter = Segmenter("append", "en")
        segmenter.feed(Word("well"), 0.0)

        assert shown(segmenter.feed(Pause(), 0.1)) == [("well", True)]
        assert segmenter.feed(Pause(), 0.2) == []

    def test_tentative_text_is_not_sent(self) -> None:
        """What may change cannot be taken back here."""
        segmenter = Segmenter("append", "en")

        assert segmenter.feed(Tentative("perhaps"), 0.0) == []
        assert segmenter.next_deadline is None
        assert segmenter.finish() == []

    def test_tentative_text_sends_the_stable_words_before_it(self) -> None:
        """The engine has said all it is sure of: waiting for more would only cost time."""
        segmenter = Segmenter("append", "en")
        segmenter.feed(Word("well"), 0.0)
        segmenter.feed(Word("then"), 0.0)

        assert shown(segmenter.feed(Tentative("perhaps"), 0.0)) == [("well then", True)]

    def test_a_word_that_may_grow_is_held(self) -> None:
        """Clients put a space between messages, so a word leaves whole."""
        feed = feeder(Segmenter("append", "en"))
        feed("Hel", 0.0)
        feed("lo", 0.1, joined=True)

        assert feed("wor", 0.5) == ["Hello"]
        assert feed("ld", 0.9, joined=True) == []
        assert feed("again", 1.0) == ["world"]

    def test_a_word_that_may_grow_leaves_in_the_end(self) -> None:
        """Nobody waits for ever for a part that does not come."""
        segmenter = Segmenter("append", "en")
        feed = feeder(segmenter)
        feed("Hel", 0.0)
        feed("lo", 0.25, joined=True)

        assert segmenter.next_deadline == 0.25 + HOLD_S
        assert segmenter.tick(0.25 + HOLD_S - 0.001) == []
        assert shown(segmenter.tick(0.25 + HOLD_S)) == [("Hello", True)]

    def test_a_sentence_in_parts_waits_for_the_next_word(self) -> None:
        """`example.` may become `example.com`."""
        feed = feeder(Segmenter("append", "en"))

        feed("example", 0.0)
        feed(".", 0.0, joined=True)
        assert feed("com", 0.1, joined=True) == []
        feed(".", 0.1, joined=True)
        assert feed("Next", 0.2) == ["example.com."]

    def test_punctuation_of_its_own_stays_with_its_word(self) -> None:
        """A full stop sent as a word does not start a message."""
        feed = feeder(Segmenter("append", "en"))

        feed("Yes", 0.0)
        feed(".", 0.1)
        assert feed("No", 0.2) == ["Yes."]

    def test_punctuation_after_its_word_was_sent_is_dropped(self) -> None:
        """A client would show it with a space before it; a sign that says something stays."""
        segmenter = Segmenter("append", "en")
        feed = feeder(segmenter)

        feed("belief", 0.0)
        assert shown(segmenter.tick(0.3)) == [("belief", True)]
        assert feed(".", 1.5, joined=True) == []
        assert feed("%", 3.0) == []
        assert [c.text for c in segmenter.feed(Pause(), 3.0)] == ["%"]

    def test_writing_without_spaces_waits_for_no_part(self) -> None:
        """Where nothing comes between messages, parts need not be held."""
        segmenter = Segmenter("append", "zh")
        feed = feeder(segmenter)

        feed("我", 0.0)
        feed("是", 0.1, joined=True)
        assert shown(segmenter.tick(0.3)) == [("我是", True)]
        feed("学生", 0.4, joined=True)
        assert feed("。", 0.5, joined=True) == ["学生。"]

    def test_a_burst_is_cut_at_words(self) -> None:
        """Words that come all at once make pieces of readable length."""
        feed = feeder(Segmenter("append", "en", max_chars=10))

        assert feed("one", 0.0) == []
        assert feed("two", 0.0) == []
        assert feed("three", 0.0) == ["one two"]

    def test_a_word_in_parts_is_not_cut_from_its_parts(self) -> None:
        """The words before it leave instead."""
        feed = feeder(Segmenter("append", "en", max_chars=10))
        feed("we", 0.0)
        feed("under", 0.0)

        assert feed("stand", 0.0, joined=True) == ["we"]


class TestReplace:
    """Captions that grow."""

    def test_a_caption_grows_until_its_sentence_ends(self) -> None:
        """Each partial holds all words so far; the final one is the sentence."""
        segmenter = Segmenter("replace", "en")

        assert shown(segmenter.feed(Word("It"), 0.0)) == [("It", False)]
        assert shown(segmenter.feed(Word("really"), 0.3)) == [("It really", False)]
        assert shown(segmenter.feed(Word("works."), 0.6)) == [("It really works.", True)]
        assert segmenter.next_deadline is None

    def test_changes_are_throttled(self) -> None:
        """A change soon after another waits for the throttle, not longer."""
        segmenter = Segmenter("replace", "en")
        segmenter.feed(Word("one"), 10.0)

        assert segmenter.feed(Word("two"), 10.1) == []
        assert segmenter.next_deadline == 10.0 + THROTTLE_S
        assert shown(segmenter.tick(10.0 + THROTTLE_S)) == [("one two", False)]

    def test_tentative_text_is_shown_and_taken_back(self) -> None:
        """It follows the words, each replacing the one before, and is never final."""
        segmenter = Segmenter("replace", "en")

        assert shown(segmenter.feed(Word("I"), 0.0)) == [("I", False)]
        assert shown(segmenter.feed(Tentative("scream"), 1.0)) == [("I scream", False)]
        assert shown(segmenter.feed(Tentative("see him"), 2.0)) == [("I see him", False)]
        assert shown(segmenter.feed(Word("saw"), 3.0)) == [("I saw", False)]
        assert shown(segmenter.feed(Pause(), 4.0)) == [("I saw", True)]

    def test_a_pause_takes_tentative_text_back(self) -> None:
        """Only what is sure stays in the final caption, and nothing follows it."""
        segmenter = Segmenter("replace", "en")
        segmenter.feed(Word("I"), 0.0)
        segmenter.feed(Tentative("scream"), 1.0)

        assert shown(segmenter.feed(Pause(), 2.0)) == [("I", True)]
        assert segmenter.tick(3.0) == []

    def test_the_same_word_again_is_a_new_caption(self) -> None:
        """What was shown before a pause does not hide what is said after it."""
        segmenter = Segmenter("replace", "en")
        segmenter.feed(Word("yes"), 0.0)
        segmenter.feed(Pause(), 1.0)

        assert shown(segmenter.feed(Word("yes"), 2.0)) == [("yes", False)]

    def test_taken_back_text_is_not_waited_for(self) -> None:
        """Nothing is sent for nothing, and no deadline stays in the past."""
        segmenter = Segmenter("replace", "en")
        segmenter.feed(Tentative("hm"), 0.0)

        assert segmenter.feed(Tentative(""), 1.0) == []
        assert segmenter.next_deadline is None
        assert segmenter.feed(Pause(), 2.0) == []

    def test_long_tentative_text_shows_its_end(self) -> None:
        """The newest words are what a reader waits for."""
        segmenter = Segmenter("replace", "en", max_chars=12)

        assert shown(segmenter.feed(Tentative("one two three four"), 0.0)) == [
            ("three four", False)
        ]

    def test_an_idle_speaker_completes_the_caption(self) -> None:
        """Where the engine tells no pauses, the time without words does."""
        segmenter = Segmenter("replace", "en", idle_after=1.2)
        segmenter.feed(Word("well"), 10.0)

        assert segmenter.next_deadline == 11.2
        assert segmenter.tick(11.199) == []
        assert shown(segmenter.tick(11.2)) == [("well", True)]

    def test_an_engine_that_tells_pauses_is_believed(self) -> None:
        """Without an idle time a caption stays open."""
        segmenter = Segmenter("replace", "en", idle_after=None)
        segmenter.feed(Word("well"), 10.0)

        assert segmenter.next_deadline is None
        assert segmenter.tick(1000.0) == []
        assert shown(segmenter.finish()) == [("well", True)]

    def test_a_monologue_is_cut_at_a_word(self) -> None:
        """What would not fit starts the next caption."""
        segmenter = Segmenter("replace", "en", max_chars=10)
        segmenter.feed(Word("one"), 0.0)
        segmenter.feed(Word("two"), 1.0)

        assert shown(segmenter.feed(Word("three"), 2.0)) == [("one two", True), ("three", False)]


@both
def test_a_word_longer_than_a_caption_is_cut(mode: Mode) -> None:
    """Writing without spaces may come as one long word."""
    segmenter = Segmenter(mode, "zh", max_chars=4)

    captions = segmenter.feed(Word("我是学生我是老师我"), 0.0) + segmenter.finish()

    assert [c.text for c in captions if c.final] == ["我是学生", "我是老师", "我"]


@both
def test_times_are_the_words(mode: Mode) -> None:
    """From the first word that has a start to the last that has an end."""
    segmenter = Segmenter(mode, "en")
    segmenter.feed(Word("so"), 9.0)
    segmenter.feed(Word("it", 1.0, 1.1), 9.0)
    segmenter.feed(Word("work", 1.2, 1.4), 9.0)
    segmenter.feed(Word("s", 1.4, 1.5, joined=True), 9.0)
    segmenter.feed(Word("!", joined=True), 9.0)

    (caption,) = segmenter.finish()

    assert caption == Caption("so it works!", final=True, start=1.0, end=1.5, mode=mode)


@both
def test_a_part_gives_its_word_a_start(mode: Mode) -> None:
    """Where only a later part carries times, they are better than none."""
    segmenter = Segmenter(mode, "en")
    segmenter.feed(Word("work"), 9.0)
    segmenter.feed(Word("s", 1.4, 1.5, joined=True), 9.0)

    assert segmenter.finish() == [Caption("works", final=True, start=1.4, end=1.5, mode=mode)]


@both
def test_words_without_times_make_captions_without(mode: Mode) -> None:
    """Nothing is made up."""
    segmenter = Segmenter(mode, "en")
    segmenter.feed(Word("so"), 9.0)

    assert segmenter.finish() == [Caption("so", final=True, mode=mode)]


@both
def test_blank_words_are_nothing(mode: Mode) -> None:
    """Moshi sends an empty word at the start."""
    segmenter = Segmenter(mode, "en")

    assert segmenter.feed(Word(" "), 0.0) == []
    assert segmenter.next_deadline is None
    assert segmenter.finish() == []


@both
def test_white_space_around_words_is_not_kept(mode: Mode) -> None:
    """Spaces are this file's business, whatever the engine sends."""
    segmenter = Segmenter(mode, "en")
    segmenter.feed(Word(" New  York"), 0.0)
    segmenter.feed(Word("\tcity\n"), 0.0)

    assert [caption.text for caption in segmenter.finish()] == ["New York city"]
