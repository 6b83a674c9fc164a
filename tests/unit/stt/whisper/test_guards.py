"""What nobody said is not written down, and what somebody said is."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.model import HeardWord
from livebot.stt.whisper import guards

SPEECH = [
    *("we", "have", "before", "us", "an", "ordeal", "of", "the", "most", "grievous", "kind"),
    *("many", "long", "months", "struggle", "and", "suffering", "you", "ask", "what", "is"),
]


def word(text: str) -> HeardWord:
    """Return a word of one token."""
    return HeardWord(text, (len(text),))


def test_silence_is_what_the_model_is_unsure_of_where_nobody_speaks() -> None:
    """Both must hold: a sure word in a pause was said, and a muttered one in speech too."""
    assert guards.is_silence(0.9, -1.5)
    assert not guards.is_silence(0.9, -0.5)
    assert not guards.is_silence(0.3, -1.5)


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 3), min_size=1))
def test_a_loop_is_left_at_once(begin: list[int], period: list[int]) -> None:
    """Nothing is changed before it, and what comes out has none.

    Spec: speech-models/No invented words.
    """
    out = guards.without_loop([*begin, *period * 40])

    assert out == [*begin, *period * 40][: len(out)]
    assert guards.without_loop(out) == out
    if len(period) <= 8:
        assert len(out) <= len(begin) + 6 * len(period)


@given(st.lists(st.sampled_from(SPEECH), unique=True), st.integers(0, 20))
def test_speech_is_left_alone(said: list[str], cut: int) -> None:
    """People repeat themselves, and texts are short."""
    words = [word(text) for text in said]

    assert list(guards.without_repetition(words[:cut], words[cut:])) == words[cut:]


def test_a_sentence_over_and_over_is_cut_off() -> None:
    """Longer ones than a loop of tokens, with little changes between."""
    prefix = [word(text) for text in SPEECH[:5]]
    words = [word(t) for i in range(30) for t in ["Thanks", "for", "watching", "part", str(i % 3)]]

    kept = guards.without_repetition(prefix, words)

    assert 5 <= len(kept) < 60
    assert list(kept) == words[: len(kept)]
    assert guards.repetitiveness([w.text for w in [*prefix, *kept]]) <= guards.MOST_REPETITIVE


@given(st.floats(0, 30))
def test_longer_audio_may_have_more_tokens(seconds: float) -> None:
    """And a short word with its punctuation always fits."""
    assert 16 <= guards.most_tokens(seconds) <= guards.most_tokens(seconds + 1) - 24
