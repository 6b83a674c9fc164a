"""Music made by arithmetic (pure): each maker as those of `sounds.py`."""

import numpy as np

from tests.accuracy.signals import RATE_HZ, Signal, add, phase, scaled, total

_MAJOR = (0, 4, 7)
_MINOR = (0, 3, 7)
_CHORDS = ((48, _MAJOR), (57, _MINOR), (53, _MAJOR), (55, _MAJOR))
"""C, a, F, G: root (MIDI number) and intervals."""
_SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 74, 76)
_VOWELS = (
    (800, 1150, 2900),  # a
    (400, 1600, 2700),  # e
    (350, 1700, 2700),  # i
    (450, 800, 2830),  # o
    (325, 700, 2530),  # u
)
"""Formants of a sung vowel in Hz."""


def chords(rng: np.random.Generator, count: int) -> Signal:
    """Return an organ: four chords in a circle, two seconds each, with overtones."""
    del rng
    out = np.zeros(count)
    for n, start in enumerate(range(0, count, 2 * RATE_HZ)):
        root, intervals = _CHORDS[n % len(_CHORDS)]
        long = 2 * RATE_HZ
        for interval in (*intervals, 12):
            add(out, start, _note(root + interval, long, overtones=8) * _fade(long))
    return out


def melody(rng: np.random.Generator, count: int) -> Signal:
    """Return a violin: notes of a scale with vibrato and many overtones."""
    out, start = np.zeros(count), 0
    while start < count:
        long = round(float(rng.choice([0.25, 0.5, 1.0, 1.5])) * RATE_HZ)
        note = _note(int(rng.choice(_SCALE)), long, overtones=10, vibrato=0.012)
        add(out, start, note * _fade(long))
        start += long
    return out


def arpeggios(rng: np.random.Generator, count: int) -> Signal:
    """Return a guitar: the notes of chords one by one, plucked, six a second."""
    del rng
    out, long = np.zeros(count), round(0.6 * RATE_HZ)
    decay = np.exp(-np.arange(long) / RATE_HZ / 0.25)
    for n, start in enumerate(range(0, count, RATE_HZ // 6)):
        root, intervals = _CHORDS[n // 12 % len(_CHORDS)]
        steps = (*intervals, 12, *reversed(intervals[1:]))
        note = _note(root + 12 + steps[n % len(steps)], long, overtones=6)
        add(out, start, note * decay)
    return out


def drums(rng: np.random.Generator, count: int) -> Signal:
    """Return bass drum, snare and hi-hat at 120 beats a minute."""
    out, long = np.zeros(count), round(0.2 * RATE_HZ)
    t = np.arange(long) / RATE_HZ
    kick = np.sin(phase(45 + 120 * np.exp(-t / 0.03))) * np.exp(-t / 0.08)
    for n, start in enumerate(range(0, count, RATE_HZ // 4)):
        add(out, start, 0.2 * rng.standard_normal(long) * np.exp(-t / 0.02))
        if n % 4 == 0:
            add(out, start, 2 * kick)
        if n % 4 == 2:
            add(out, start, rng.standard_normal(long) * np.exp(-t / 0.05))
    return out


def everything(rng: np.random.Generator, count: int) -> Signal:
    """Return organ, violin, guitar and drums together."""
    parts = (chords, melody, arpeggios, drums)
    return total(scaled(part(rng, count), -20) for part in parts)


def humming(rng: np.random.Generator, count: int) -> Signal:
    """Return a voice that sings vowels: a buzz with vibrato through formants that glide.

    The nearest to speech that is none.
    """
    t = np.arange(count) / RATE_HZ
    marks = np.arange(0, count / RATE_HZ + 1.5, 0.75)
    pitch = 440 * 2 ** ((np.interp(t, marks, rng.choice(_SCALE, len(marks))) - 81) / 12)
    angle = phase(pitch * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * t)))
    vowels = np.array(_VOWELS)[rng.integers(len(_VOWELS), size=len(marks))]
    formants = [np.interp(t, marks, vowels[:, n]) for n in range(3)]
    out = np.zeros(count)
    for n in range(1, 24):
        hz = n * pitch
        gain = sum(1 / (1 + ((hz - f) / 90) ** 2) for f in formants) / n
        out += gain * np.sin(n * angle) * (hz < RATE_HZ / 2)
    return out


def _note(midi: int, count: int, *, overtones: int, vibrato: float = 0.0) -> Signal:
    t = np.arange(count) / RATE_HZ
    hz = 440 * 2 ** ((midi - 69) / 12) * (1 + vibrato * np.sin(2 * np.pi * 5.5 * t))
    angle = phase(hz)
    return total(np.sin(n * angle) / n for n in range(1, overtones + 1))


def _fade(count: int) -> Signal:
    """Return a loudness that rises and falls within 50 ms."""
    ramp = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.05 * RATE_HZ)
    return np.minimum(1, ramp)
