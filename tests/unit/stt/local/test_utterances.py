"""Cutting audio into utterances."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.local.utterances import WINDOW, WINDOW_S, Cutter, Rules, Utterance, windows

ODDS = st.lists(st.sampled_from([0.0, 0.1, 0.4, 0.9]), max_size=2000)


def cut(odds: list[float], rules: Rules) -> list[Utterance]:
    """Cut windows whose samples are their numbers."""
    cutter = Cutter(rules)
    out = []
    for number, p in enumerate(odds):
        if ended := cutter.push(np.full(WINDOW, number, np.float32), p):
            out.append(ended)
    last = cutter.finish()
    return [*out, last] if last else out


def numbers(utterance: Utterance) -> list[int]:
    """Return which windows an utterance is made of."""
    return [int(n) for n in utterance.audio(len(utterance))[::WINDOW]]


@given(ODDS)
def test_utterances_follow_each_other(odds: list[float]) -> None:
    """They are stretches of the stream in order, overlap nowhere and know where they begin."""
    seen = -1
    for utterance in cut(odds, Rules()):
        found = numbers(utterance)
        assert found == list(range(utterance.first, utterance.first + len(found)))
        assert found[0] > seen
        seen = found[-1]


@given(ODDS)
def test_every_speech_is_in_one(odds: list[float]) -> None:
    """No window of clear speech is lost."""
    inside = {n for utterance in cut(odds, Rules()) for n in numbers(utterance)}

    assert {n for n, p in enumerate(odds) if p >= Rules().begin} <= inside


@given(ODDS)
def test_none_is_longer_than_the_model_likes(odds: list[float]) -> None:
    """The limit holds, pre-roll included."""
    rules = Rules(patience_s=2.0, limit_s=5.0)

    assert all(len(u) * WINDOW_S <= rules.limit_s + WINDOW_S for u in cut(odds, rules))


def test_silence_ends_an_utterance() -> None:
    """At the silence the rules name, not a window before; onset and ending are kept."""
    rules = Rules(silence_s=0.64, post_roll_s=0.32, pre_roll_s=0.32)
    cutter = Cutter(rules)
    quiet = np.zeros(WINDOW, np.float32)
    for _ in range(40):
        cutter.push(quiet, 0.0)
    for _ in range(30):
        assert cutter.push(quiet, 1.0) is None
    for _ in range(19):
        assert cutter.push(quiet, 0.0) is None
    ended = cutter.push(quiet, 0.0)

    assert ended is not None
    assert ended.first == 40 - 9
    assert len(ended) == 9 + 30 + 10


def test_a_long_utterance_ends_at_a_short_pause() -> None:
    """Patience ends with length."""
    rules = Rules()

    assert rules.enough_silence_s(1.0) == rules.silence_s
    assert rules.enough_silence_s(rules.limit_s) == rules.least_silence_s
    assert rules.least_silence_s < rules.enough_silence_s(17.0) < rules.silence_s


def test_without_a_pause_it_is_cut_where_speech_is_least_likely() -> None:
    """And never inside what was given out already."""
    rules = Rules()
    odds = [0.9] * windows(30)
    odds[windows(20)] = 0.5
    first = cut(odds, rules)[0]

    assert len(first) == windows(20) + 1
    assert not first.silent_end

    cutter = Cutter(rules)
    for p in odds:
        settled = windows(22) if cutter.open and len(cutter.open) > windows(22) else 0
        if ended := cutter.push(np.zeros(WINDOW, np.float32), p, settled=settled):
            assert len(ended) >= windows(22)
            return
    raise AssertionError("never cut")


def test_the_onset_after_a_short_pause_is_kept() -> None:
    """Silence that was cut off one utterance is the pre-roll of the next."""
    rules = Rules()
    pause = windows(rules.silence_s) + 2

    first, second = cut([1.0] * 30 + [0.0] * pause + [1.0] * 30, rules)

    assert len(first) == 30 + windows(rules.post_roll_s)
    assert second.first == len(first)


def heard(pieces: list[tuple[float, float, int]], *, gain: float = 1.0) -> Utterance:
    """Return the only utterance of noise: for each piece its loudness, odds and windows."""
    rng, cutter, out = np.random.default_rng(0), Cutter(Rules()), []
    for loudness, odds, count in pieces:
        for _ in range(count):
            window = rng.normal(0, gain * loudness, WINDOW).astype(np.float32)
            out += [cutter.push(window, odds)]
    (found,) = [one for one in [*out, cutter.finish()] if one]
    return found


@given(st.floats(0.01, 0.5), st.integers(5, 18), st.floats(1e-4, 1.0))
def test_what_goes_on_as_loud_is_no_voice(loudness: float, count: int, gain: float) -> None:
    """However loud: a moment of music that was taken for speech.

    Spec: local-engines/No invented words.
    """
    music = heard([(0.001, 0.0, 20), (loudness, 0.9, count), (loudness, 0.1, 20)], gain=gain)

    assert not music.is_voice(Rules())


@given(st.integers(4, 60), st.floats(0.0, 0.7), st.floats(1e-4, 1.0))
def test_a_word_in_some_noise_is_a_voice(count: int, noise: float, gain: float) -> None:
    """With 3 dB above the noise or more, however soft. Spec: local-engines/No invented words."""
    word = heard([(noise, 0.0, 20), (1.0, 0.9, count), (noise, 0.1, 20)], gain=gain)

    assert word.is_voice(Rules())


@given(st.floats(0.5, 1.0), st.integers(1, 3))
def test_a_blow_is_no_voice(odds: float, count: int) -> None:
    """It is over before a word could be. Spec: local-engines/No invented words."""
    blow = heard([(0.001, 0.0, 20), (1.0, odds, count), (0.001, 0.0, 20)])

    assert blow.is_voice(Rules()) == (count * WINDOW_S * odds >= Rules().least_voice_s)
    assert not heard([(0.001, 0.0, 20), (1.0, 0.6, 4), (0.001, 0.0, 20)]).is_voice(Rules())


def test_speech_over_loud_music_is_a_voice() -> None:
    """Who goes on speaking is believed, whatever goes on besides."""
    assert heard([(1.0, 0.0, 20), (1.0, 0.9, 25), (1.0, 0.1, 20)]).is_voice(Rules())


def test_the_end_of_the_stream_says_nothing() -> None:
    """Where nothing follows, nothing can be as loud."""
    assert heard([(1.0, 0.9, 5)]).is_voice(Rules())
    assert heard([(1.0, 0.9, 5), (1.0, 0.1, 4)]).is_voice(Rules())
