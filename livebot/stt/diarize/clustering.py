"""Which voices are the same person's (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

ALIKE = 0.3
"""A cosine. On real recordings pieces of a second and more by one person are more alike than
this on average, those by two people less."""

PERSON_S = 2.0
"""Whoever speaks for less than this in all is nobody new, but a noise or a laugh."""

MOST = 1000
"""Groups that are compared each with each; of 24 MB, and in a second."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Two groups become one.

    Attributes:
        kept: The number of the one.
        gone: Of the other.
        alike: How alike they were: the mean cosine of their pairs.
    """

    kept: int
    gone: int
    alike: float


def find_people(voices: Floats, seconds: Floats, *, people: int | None = None) -> Floats:
    """Return what each person's voice is like, shape (people, dimensions), length 1 each.

    At least one, if there are voices. With a number given as many are found, unless fewer
    speak for `PERSON_S`; without, as many as are not `ALIKE`.

    Args:
        voices: Of pieces of speech, length 1 each, shape (n, dimensions).
        seconds: How long the pieces are, shape (n,).
        people: How many there are, if that is known.
    """
    sums, weights = condense(voices * seconds[:, None], seconds)
    merges = link(sums, weights)
    steps = sum(merge.alike >= ALIKE for merge in merges)
    if people is not None:
        steps = _steps_to(people, steps, merges, weights)
    labels = cut(len(sums), merges[:steps])
    spoken = np.bincount(labels, weights)
    long_enough = np.flatnonzero(spoken >= min(PERSON_S, spoken.max(initial=0.0)))
    return _unit(np.array([sums[labels == each].sum(axis=0) for each in long_enough]))


def condense(sums: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Join what is most alike among neighbours until no more than `MOST` groups are left."""
    while len(sums) > MOST:
        parts = []
        # Of about the same length: in one of three voices the halving would join strangers.
        for block in np.array_split(np.arange(len(sums)), -(-len(sums) // MOST)):
            labels = cut(len(block), link(sums[block], weights[block])[: len(block) // 2])
            parts.append((_total(sums[block], labels), np.bincount(labels, weights[block])))
        sums = np.concatenate([part for part, _ in parts])
        weights = np.concatenate([part for _, part in parts])
    return sums, weights


def link(sums: Floats, weights: Floats) -> list[Merge]:
    """Join the two groups that are most alike until all is one (average linkage).

    Args:
        sums: Of the voices of each group, weighted, shape (n, dimensions).
        weights: Of each group, shape (n,).
    """
    weights = weights.astype(np.float64)
    alike = (sums @ sums.T) / np.outer(weights, weights)
    np.fill_diagonal(alike, -np.inf)
    nearest, best = alike.argmax(axis=1), alike.max(axis=1)
    merges = []
    for _ in range(len(sums) - 1):
        kept = int(best.argmax())
        gone = int(nearest[kept])
        merges.append(Merge(kept, gone, float(best[kept])))
        both = weights[kept] + weights[gone]
        row = (weights[kept] * alike[kept] + weights[gone] * alike[gone]) / both
        weights[kept] = both
        alike[kept], alike[:, kept] = row, row
        alike[gone], alike[:, gone] = -np.inf, -np.inf
        # A mean is never more alike than the better of the two: no other row gains a neighbour.
        stale = np.flatnonzero((nearest == kept) | (nearest == gone))
        stale = np.append(stale, [kept, gone])
        nearest[stale], best[stale] = alike[stale].argmax(axis=1), alike[stale].max(axis=1)
    return merges


def cut(count: int, merges: Sequence[Merge]) -> Labels:
    """Return the group of each of `count` after some merges, numbered from 0, shape (count,)."""
    labels = np.arange(count)
    for merge in merges:
        labels[labels == merge.gone] = merge.kept
    groups: Labels = np.unique(labels, return_inverse=True)[1]
    return groups


def _steps_to(people: int, steps: int, merges: Sequence[Merge], weights: Floats) -> int:
    """Return after how many merges so many people are left, or as many as there ever are.

    That may be so more than once: what nobody said may add up to a person when all others are
    joined already. So it is the nearest to `steps`, after which one would stop without a number.
    """
    spoken = weights.copy()
    counts = [int((spoken >= PERSON_S).sum())]
    for merge in merges:
        spoken[merge.kept] += spoken[merge.gone]
        spoken[merge.gone] = 0.0
        counts.append(int((spoken >= PERSON_S).sum()))
    if counts[steps] > people:
        return next(at for at in range(steps, len(counts)) if counts[at] <= people)
    wanted = min(people, max(counts[: steps + 1]))
    return next(at for at in range(steps, -1, -1) if counts[at] >= wanted)


def _total(rows: Floats, labels: Labels) -> Floats:
    total = np.zeros((labels.max() + 1, rows.shape[1]))
    np.add.at(total, labels, rows)
    return total


def _unit(rows: Floats) -> Floats:
    out: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return out
