"""Which voices are the same person's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.stt.diarize import clustering
from livebot.stt.diarize.clustering import Floats, condense, cut, find_people, link

DIMENSIONS = 64


def crowd(counts: list[int], seed: int = 0, spread: float = 0.8) -> tuple[Floats, list[int]]:
    """Return voices of people, as many of each as given, shuffled; and whose they are."""
    dice = np.random.default_rng(seed)
    people = np.linalg.qr(dice.normal(size=(DIMENSIONS, DIMENSIONS)))[0][: len(counts)]
    whose = dice.permutation(np.repeat(np.arange(len(counts)), counts))
    noise = dice.normal(0, spread / DIMENSIONS**0.5, (len(whose), DIMENSIONS))
    voices = people[whose] + noise
    return voices / np.linalg.norm(voices, axis=1, keepdims=True), whose.tolist()


def told_apart(voices: Floats, people: Floats, whose: list[int]) -> bool:
    """Return whether the voices of one person, and only those, are nearest to one of `people`."""
    nearest = (voices @ people.T).argmax(axis=1).tolist()
    return len(set(zip(nearest, whose, strict=True))) == len(set(whose)) == len(set(nearest))


counts = st.lists(st.integers(3, 12), min_size=1, max_size=7)
seeds = st.integers(0, 1000)


@given(counts, seeds)
def test_people_are_found(sizes: list[int], seed: int) -> None:
    """Without being told how many there are."""
    voices, whose = crowd(sizes, seed)

    people = find_people(voices, np.ones(len(voices)))

    assert len(people) == len(sizes)
    assert told_apart(voices, people, whose)
    assert np.linalg.norm(people, axis=1) == pytest.approx(np.ones(len(sizes)))


@given(counts, seeds, st.integers(1, 9))
def test_as_many_people_as_given(sizes: list[int], seed: int, wanted: int) -> None:
    """Where that many pieces are long enough."""
    voices, _ = crowd(sizes, seed)

    people = find_people(voices, np.full(len(voices), 2.5), people=wanted)

    assert len(people) == min(wanted, len(voices))


@given(counts, seeds)
def test_the_right_number_tells_apart_who_sounds_alike(sizes: list[int], seed: int) -> None:
    """Where the threshold would take two for one."""
    voices, whose = crowd(sizes, seed, spread=0.5)
    # All have much in common: every two are more alike than the threshold.
    common = np.zeros(DIMENSIONS)
    common[0] = 1.2
    voices = voices + common
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)

    people = find_people(voices, np.ones(len(voices)), people=len(sizes))

    assert told_apart(voices, people, whose)


def test_a_noise_is_nobody() -> None:
    """Even where a number is given it does not take a person's place."""
    voices, whose = crowd([6, 6, 1])
    seconds = np.where(np.array(whose) == 2, 0.9, 1.0)
    speech = np.array(whose) < 2

    for given_number in (None, 2):
        people = find_people(voices, seconds, people=given_number)
        assert told_apart(voices[speech], people, [each for each in whose if each < 2])


def test_noises_together_are_nobody_either() -> None:
    """Two people sound more alike than two noises, which last as long as a person together."""
    axes = np.eye(DIMENSIONS)
    second = 0.25 * axes[0] + (1 - 0.25**2) ** 0.5 * axes[1]
    noise = 0.2 * axes[2] + (1 - 0.2**2) ** 0.5 * axes[3]
    voices = np.array([axes[0]] * 6 + [second] * 6 + [axes[2], noise])

    people = find_people(voices, np.full(len(voices), 1.2), people=2)

    assert told_apart(voices[:12], people, [0] * 6 + [1] * 6)


def test_somebody_is_there_however_short_it_is() -> None:
    """Half a second of speech is of one person."""
    voices, _ = crowd([1])

    assert len(find_people(voices, np.array([0.5]))) == 1
    assert len(find_people(voices, np.array([0.5]), people=4)) == 1


@given(st.lists(st.integers(1, 5), min_size=2, max_size=20), seeds)
def test_linking_is_average_linkage(weights: list[int], seed: int) -> None:
    """Each time the pair is joined whose members are most alike on average, by definition."""
    voices = crowd([1] * len(weights), seed, spread=1.5)[0][: len(weights)]
    heavy = np.array(weights, np.float64)
    groups = {i: [i] for i in range(len(weights))}

    for merge in link(voices * heavy[:, None], heavy):
        means = {
            (a, b): np.average(
                voices[groups[a]] @ voices[groups[b]].T,
                weights=np.outer(heavy[groups[a]], heavy[groups[b]]),
            )
            for a in groups
            for b in groups
            if a < b
        }
        assert merge.alike == pytest.approx(max(means.values()))
        pair = (min(merge.kept, merge.gone), max(merge.kept, merge.gone))
        assert means[pair] == pytest.approx(merge.alike)
        groups[merge.kept] += groups.pop(merge.gone)


def test_cutting_follows_the_merges() -> None:
    """Also where a group that was joined is joined again."""
    voices, whose = crowd([5, 4, 3])

    labels = cut(12, link(voices, np.ones(12))[:9])

    assert len(set(zip(labels.tolist(), whose, strict=True))) == 3


@settings(max_examples=25)
@given(st.integers(5, 60), seeds)
def test_long_recordings_are_condensed(each: int, seed: int) -> None:
    """Few groups are compared each with each, and nobody is lost."""
    voices, whose = crowd([each] * 4, seed)
    most, clustering.MOST = clustering.MOST, 20
    try:
        sums, weights = condense(voices, np.ones(len(voices)))
        people = find_people(voices, np.ones(len(voices)))
    finally:
        clustering.MOST = most

    assert len(sums) <= 20
    assert weights.sum() == pytest.approx(len(voices))
    assert sums.sum(axis=0) == pytest.approx(voices.sum(axis=0))
    assert told_apart(voices, people, whose)
