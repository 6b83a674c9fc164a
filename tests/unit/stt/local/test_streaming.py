"""Words of a stream: given out once, in order, and the same as those of the final pass."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.local.streaming import Caution, SpeechStream
from livebot.stt.local.utterances import WINDOW_S, Rules
from livebot.stt.model import HeardWord
from tests.unit.stt.local.scripted import ScriptedHeard, speak, voice

WHOLE = 6
"""Windows of a word."""

SPEECH = st.lists(
    st.tuples(st.integers(0, 500), st.just(WHOLE)) | st.tuples(st.just(0), st.integers(1, 60)),
    max_size=40,
).map(lambda pieces: [p for i, p in enumerate(pieces) if i == 0 or p[0] != pieces[i - 1][0]])
"""Words and pauses; the same word never twice in a row, or they would be one long one."""


def listen(samples: Samples) -> ScriptedHeard:
    """Hear with the scripted model."""
    return ScriptedHeard(samples, whole=WHOLE)


def stream() -> SpeechStream:
    """Return a stream with the scripted model and voice."""
    return SpeechStream(listen, voice)


def said(pieces: Sequence[tuple[int, int]]) -> list[str]:
    """Return the words that were spoken."""
    return [f"w{number}" for number, _ in pieces if number]


def words(events: Sequence[SttEvent]) -> list[Word]:
    """Return the words among events."""
    return [event for event in events if isinstance(event, Word)]


def play(pieces: Sequence[tuple[int, int]], cuts: list[int], passes: list[bool]) -> list[SttEvent]:
    """Stream audio cut into chunks; `passes` says after which of them interim passes run."""
    audio, under_test, out = speak(pieces), stream(), []
    ends = [*sorted({cut % (len(audio) + 1) for cut in cuts}), len(audio)]
    before = 0
    for number, end in enumerate(ends):
        under_test.push(audio[before:end])
        before = end
        while (want := under_test.wants()) and (
            want.is_final or (passes and passes[number % len(passes)])
        ):
            out += under_test.run()
    under_test.finish()
    while under_test.wants():
        out += under_test.run()
    return out


CUTS = st.lists(st.integers(0, 200_000), max_size=60)


@given(SPEECH, CUTS, st.lists(st.booleans(), max_size=8))
def test_the_words_are_those_of_the_final_pass(
    pieces: list[tuple[int, int]], cuts: list[int], passes: list[bool]
) -> None:
    """Whatever passes run in between, and however the audio is cut, the words are the same."""
    assert [word.text for word in words(play(pieces, cuts, passes))] == said(pieces)


@given(SPEECH, CUTS)
def test_any_cutting_of_the_audio_gives_the_same(
    pieces: list[tuple[int, int]], cuts: list[int]
) -> None:
    """With final passes alone the events are the same to the last digit."""
    assert play(pieces, cuts, []) == play(pieces, [], [])


@given(SPEECH, CUTS, st.lists(st.booleans(), max_size=8))
def test_times_never_go_back(
    pieces: list[tuple[int, int]], cuts: list[int], passes: list[bool]
) -> None:
    """Words begin and end one after the other, inside the audio."""
    heard = words(play(pieces, cuts, passes))

    moments = [moment for word in heard for moment in (word.start, word.end)]
    length_s = len(speak(pieces)) / 16_000

    assert all(moment is not None and moment <= length_s + 0.001 for moment in moments)
    assert moments == sorted(moment for moment in moments if moment is not None)


@given(SPEECH, CUTS, st.lists(st.booleans(), max_size=8))
def test_nothing_tentative_is_left(
    pieces: list[tuple[int, int]], cuts: list[int], passes: list[bool]
) -> None:
    """The last event takes back what was tentative."""
    events = play(pieces, cuts, passes)

    assert not events or events[-1] in (Pause(), Tentative(""))
    assert not words(events) or Pause() in events


def test_words_appear_while_somebody_speaks() -> None:
    """Words on which enough passes agree are given out before the utterance ends."""
    under_test = stream()
    audio = speak([(number, WHOLE) for number in range(1, 11)])

    out = []
    for at in range(0, len(audio), 6400):
        under_test.push(audio[at : at + 6400])
        if under_test.wants():
            out += under_test.run()

    assert len(words(out)) >= 5
    assert Pause() not in out


@pytest.mark.parametrize("passes", [2, 3, 4])
def test_a_word_must_have_been_heard_so_many_times_in_a_row(passes: int) -> None:
    """Not in one pass fewer; and a pass that hears something else begins the count anew."""
    heard = ["right", "wrong"] + ["right"] * passes

    class Wavering(ScriptedHeard):
        """Hears what comes next in the list, and then a word that is held back."""

        def words(self, prefix: Sequence[HeardWord] = ()) -> list[HeardWord]:
            return [HeardWord(heard.pop(0), (1,)), HeardWord("held", (2,))][len(prefix) :]

    under_test = SpeechStream(
        lambda samples: Wavering(samples, whole=WHOLE), voice, caution=Caution(passes=passes)
    )
    given = []
    for _ in range(2 + passes):
        under_test.push(speak([(1, 20)]))
        given.append([word.text for word in words(under_test.run())])

    assert given == [[]] * (1 + passes) + [["right"]]


def test_times_are_those_of_the_audio() -> None:
    """Start and end count from the stream's first sample, and a pause belongs to no word."""
    heard = words(play([(0, 50), (1, WHOLE), (0, 5), (2, WHOLE), (0, 40)], [], []))

    starts, ends = [word.start for word in heard], [word.end for word in heard]
    assert starts == pytest.approx([50 * WINDOW_S, 61 * WINDOW_S], abs=0.001)
    assert ends == pytest.approx([56 * WINDOW_S, 67 * WINDOW_S], abs=0.04)


def test_no_word_is_given_out_faster_than_it_can_be_spoken() -> None:
    """Where all passes agree on a sentence that was not spoken yet, it waits."""

    class Dreamer(ScriptedHeard):
        """Goes on by itself, always the same way."""

        def words(self, prefix: Sequence[HeardWord] = ()) -> list[HeardWord]:
            return [HeardWord(f"w{n}", (n,)) for n in range(100)][len(prefix) :]

        def starts(
            self, prefix: Sequence[HeardWord], words: Sequence[HeardWord], *, after_s: float
        ) -> list[float]:
            return [after_s for _ in words[: 100 - len(prefix)]]

    under_test = SpeechStream(lambda samples: Dreamer(samples, whole=WHOLE), voice)
    out = []
    for _ in range(Caution().passes):
        under_test.push(speak([(1, 20)]))
        out += under_test.run()

    assert 1 <= len(words(out)) <= 12


def test_silence_and_clicks_cost_no_pass() -> None:
    """Without voice there is nothing to do, and a click is no utterance."""
    under_test = stream()

    under_test.push(speak([(0, 100), (1, 1), (0, 100)]))
    under_test.finish()
    out = []
    while under_test.wants():
        out += under_test.run()

    assert out == []


def test_a_final_pass_is_not_run_twice() -> None:
    """When nothing followed the pass that ran at the first silence, its words are final."""
    asked = []

    def count(samples: Samples) -> ScriptedHeard:
        asked.append(len(samples))
        return listen(samples)

    under_test = SpeechStream(count, voice)
    under_test.push(speak([(1, WHOLE), (2, WHOLE), (0, 14)]))
    want = under_test.wants()
    assert want is not None
    assert want.is_settled
    assert not want.is_final
    out = under_test.run()
    under_test.push(speak([(0, 10)]))
    out += under_test.run()

    assert [word.text for word in words(out)] == ["w1", "w2"]
    assert len(asked) == 1


def test_waiting_audio_is_told() -> None:
    """Whoever feeds can see how much waits for the model."""
    under_test = stream()
    under_test.push(speak([(1, 100), (0, 30)]))

    assert under_test.waiting_s >= 100 * WINDOW_S

    under_test.run()
    assert under_test.waiting_s == 0


def test_a_monologue_is_cut_without_losing_a_word() -> None:
    """Somebody who never pauses is understood all the same."""
    pieces = [(1 + number % 500, WHOLE) for number in range(400)]

    heard = words(play(pieces, list(range(0, 2_000_000, 6400)), [True]))

    assert len(heard) >= 400
    assert Rules().limit_s < len(speak(pieces)) / 16_000
    assert np.diff([word.start or 0.0 for word in heard]).min() >= 0
