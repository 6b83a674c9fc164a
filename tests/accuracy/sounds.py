"""Sounds that are no speech: silence, noise, machines and music, made by arithmetic (pure).

Each maker gives mono float32 at `RATE_HZ` and is the same for the same seed. Levels are dB of
full scale (RMS) of the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np

from livebot.audio.pcm import Samples
from tests.accuracy import music
from tests.accuracy.signals import RATE_HZ, Signal, add, moments, phase, scaled, total

Maker: TypeAlias = Callable[[np.random.Generator, int], Signal]
"""A source of chance and a number of samples in; that many out, at any level."""


def make(kind: str, seconds: float, *, level_db: float = -20.0, seed: int = 1) -> Samples:
    """Return so much of a sound of `KINDS`."""
    count = round(seconds * RATE_HZ)
    return scaled(KINDS[kind](np.random.default_rng(seed), count), level_db)


def silence(_rng: np.random.Generator, count: int) -> Signal:
    """Return zeros."""
    return np.zeros(count)


def dither(rng: np.random.Generator, count: int) -> Signal:
    """Return what a quiet converter gives: -1, 0 and 1 of 16 bits."""
    return rng.integers(-1, 2, count) / 2**15


def coloured(rng: np.random.Generator, count: int, *, slope: float) -> Signal:
    """Return noise whose amplitude falls with the frequency to the power of `slope`."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20)
    out: Signal = np.fft.irfft(spectrum / frequencies**slope, count)
    return out


def band(rng: np.random.Generator, count: int, *, low_hz: float, high_hz: float) -> Signal:
    """Return noise between two frequencies."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum[(frequencies < low_hz) | (frequencies > high_hz)] = 0
    out: Signal = np.fft.irfft(spectrum, count)
    return out


def swelling(rng: np.random.Generator, count: int, *, rate_hz: float) -> Signal:
    """Return pink noise as loud and soft in turns as speech is: wind, waves, traffic."""
    t = np.arange(count) / RATE_HZ
    wander = np.cumsum(rng.standard_normal(count)) / RATE_HZ
    out: Signal = (1 + np.sin(2 * np.pi * rate_hz * t + wander)) ** 2
    return out * coloured(rng, count, slope=0.5)


def breath(rng: np.random.Generator, count: int) -> Signal:
    """Return somebody who sleeps at the microphone: in and out every four seconds."""
    t = np.arange(count) / RATE_HZ
    flow = np.maximum(0, np.sin(2 * np.pi * t / 2)) ** 1.5
    return band(rng, count, low_hz=300, high_hz=2500) * flow


def hum(rng: np.random.Generator, count: int, *, mains_hz: float) -> Signal:
    """Return mains with its harmonics, and a little noise."""
    t = np.arange(count) / RATE_HZ
    parts = (np.sin(2 * np.pi * mains_hz * n * t) / n for n in (1, 2, 3, 5, 7, 9, 12))
    return total(parts) + 0.01 * rng.standard_normal(count)


def tones(
    _rng: np.random.Generator, count: int, *, hz: Sequence[float], on_s: float, off_s: float
) -> Signal:
    """Return tones together, on and off: a telephone that rings, an alarm."""
    t = np.arange(count) / RATE_HZ
    is_on = t % (on_s + off_s) < on_s
    return total(np.sin(2 * np.pi * f * t) for f in hz) * is_on


def dialling(rng: np.random.Generator, count: int) -> Signal:
    """Return keys of a telephone (DTMF), some three a second."""
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477)
    key = partial(tones, rng, round(0.15 * RATE_HZ), on_s=1.0, off_s=0.0)
    made = {(r, c): key(hz=(r, c)) for r in rows for c in columns}
    out, keys = np.zeros(count), list(made)
    for start in moments(rng, count, per_s=3):
        add(out, start, made[keys[int(rng.integers(len(keys)))]])
    return out


def siren(_rng: np.random.Generator, count: int) -> Signal:
    """Return a tone that goes up and down between 500 and 1500 Hz every four seconds."""
    t = np.arange(count) / RATE_HZ
    return np.sin(phase(1000 + 500 * np.sin(2 * np.pi * t / 4)))


def chirps(rng: np.random.Generator, count: int) -> Signal:
    """Return birds: short whistles that glide."""
    out = np.zeros(count)
    for start in moments(rng, count, per_s=4):
        long = round(rng.uniform(0.05, 0.3) * RATE_HZ)
        hz = np.linspace(rng.uniform(1800, 5500), rng.uniform(1800, 5500), long)
        add(out, start, np.sin(phase(hz)) * np.hanning(long) * rng.uniform(0.2, 1))
    return out


def clicks(rng: np.random.Generator, count: int) -> Signal:
    """Return single samples that jump, two a second."""
    out = np.zeros(count)
    for start in moments(rng, count, per_s=2):
        add(out, start, np.array([1.0, -0.6, 0.3]) * rng.choice([-1, 1]))
    return out


def typing(rng: np.random.Generator, count: int) -> Signal:
    """Return a keyboard: noise that rings for some milliseconds, in hurries and pauses."""
    out = np.zeros(count)
    for start in moments(rng, count, per_s=7):
        if int(start / RATE_HZ / 3) % 3 == 2:  # a pause to think
            continue
        for shift, force in ((0, 1.0), (rng.uniform(0.06, 0.12), 0.4)):  # down and up
            long = round(0.03 * RATE_HZ)
            t = np.arange(long) / RATE_HZ
            ring = np.sin(2 * np.pi * rng.uniform(250, 3500) * t) + rng.standard_normal(long)
            add(out, start + round(shift * RATE_HZ), force * ring * np.exp(-t / 0.006))
    return out


def knocks(rng: np.random.Generator, count: int) -> Signal:
    """Return doors, cups and chairs: dull blows, one a second."""
    out = np.zeros(count)
    for start in moments(rng, count, per_s=1):
        long = round(0.3 * RATE_HZ)
        t = np.arange(long) / RATE_HZ
        blow = np.sin(2 * np.pi * rng.uniform(60, 400) * t) + 0.5 * rng.standard_normal(long)
        add(out, start, blow * np.exp(-t / rng.uniform(0.01, 0.08)))
    return out


KINDS: Mapping[str, Maker] = {
    "silence": silence,
    "dither": dither,
    "white noise": partial(coloured, slope=0.0),
    "pink noise": partial(coloured, slope=0.5),
    "brown noise": partial(coloured, slope=1.0),
    "voice-band noise": partial(band, low_hz=300, high_hz=3400),
    "waves": partial(swelling, rate_hz=0.2),
    "flutter": partial(swelling, rate_hz=4.0),
    "breath": breath,
    "hum 50 Hz": partial(hum, mains_hz=50.0),
    "hum 60 Hz": partial(hum, mains_hz=60.0),
    "ringing": partial(tones, hz=(440.0, 480.0), on_s=2.0, off_s=4.0),
    "busy": partial(tones, hz=(480.0, 620.0), on_s=0.5, off_s=0.5),
    "beeps": partial(tones, hz=(1000.0,), on_s=0.2, off_s=0.8),
    "dialling": dialling,
    "siren": siren,
    "birds": chirps,
    "clicks": clicks,
    "typing": typing,
    "knocks": knocks,
    "chords": music.chords,
    "melody": music.melody,
    "arpeggios": music.arpeggios,
    "drums": music.drums,
    "band": music.everything,
    "humming": music.humming,
}
