"""Words with times in milliseconds."""

from hypothesis import given

from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean
from livebot.transcripts.spoken import spoken_words, words_of
from tests.support.transcripts import some, transcripts, utterances


@some
@given(utterances())
def test_times_never_go_backwards(said: Utterance) -> None:
    """Starts never after ends, in order."""
    times = [at for word in words_of(said) for at in (word.start_ms, word.end_ms)]
    assert times == sorted(times)


@some
@given(transcripts())
def test_every_word_is_there(said: Transcript) -> None:
    """On one line each."""
    found = [(word.speaker, word.text) for word in spoken_words(said)]
    assert found == [(u.speaker, clean(word.text)) for u in said.utterances for word in u.words]


def test_missing_times_are_those_of_the_word_before() -> None:
    """Engines need not say them."""
    words = (Word("a"), Word("b", 1.0, 1.5), Word("c"), Word("d", 1.2, 2.0))
    assert [(word.start_ms, word.end_ms) for word in words_of(Utterance(words))] == [
        (0, 0),
        (1000, 1500),
        (1500, 1500),
        (1500, 2000),
    ]
