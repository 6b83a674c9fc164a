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
