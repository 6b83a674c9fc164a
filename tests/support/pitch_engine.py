"""An engine that knows words by their pitch: heard again, in another stream, they are the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.stt.engine import Capabilities, Pause, SttEvent, SttStream, Word

FRAME = 480
LOUD = 0.01
LOWEST_HZ, STEP_HZ = 300, 50
BURST_S, GAP_S = 0.24, 0.24
LEAST_S = 0.05
"""What is shorter is no word."""

DELAY_S = 0.4
"""After so much silence a word is told."""

PAUSE_S = 1.0

_ONSETS, _NUCLEI = "bdfgklmnprst", ("a", "e", "i", "o")


def name(number: int) -> str:
    """Return the word of a number; there are 40."""
    return _ONSETS[number % 10] + _NUCLEI[number // 10 % 4] + "x"


def said(count: int, first: int = 0) -> list[str]:
    """Return what `speech()` says."""
    return [name((first + number) % 40) for number in range(count)]


def speech(count: int, first: int = 0, *, tail_s: float = 1.2) -> Samples:
    """Return audio of so many words."""
    at = np.arange(round(BURST_S * RATE_HZ)) / RATE_HZ
    pieces: list[Samples] = [silence(round(0.16 * RATE_HZ))]
    for number in range(first, first + count):
        hz = LOWEST_HZ + STEP_HZ * (number % 40)
        tone = (np.sin(at * hz * 2 * np.pi) / 2).astype(np.float32)
        pieces += [tone, silence(round(GAP_S * RATE_HZ))]
    return np.concatenate([*pieces, silence(round(tail_s * RATE_HZ))])


class PitchEngine:
    """Opens streams that hear words by their pitch.

    Args:
        timed: Whether words carry times; without, there are no pauses either.
    """

    def __init__(self, *, timed: bool = True) -> None:
        self._timed = timed

    @property
    def capabilities(self) -> Capabilities:
        """English."""
        return Capabilities({"en": "English"}, word_times=self._timed, pauses=self._timed)

    async def __aenter__(self) -> Self:
        """Start nothing."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop nothing."""

    async def check(self) -> str:
        """Say that it works."""
        return "pitches"

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream."""
        del language
        yield PitchStream(timed=self._timed)


class PitchStream:
    """One stream."""

    def __init__(self, *, timed: bool) -> None:
        self._timed = timed
        self._events: asyncio.Queue[SttEvent | None] = asyncio.Queue()
        self._rest = silence(0)
        self._frames = 0
        self._loud: list[Samples] = []
        self._quiet = 0
        self._heard: Word | None = None

    async def send(self, chunk: Samples) -> None:
        """Hear a chunk at once."""
        samples = np.concatenate([self._rest, chunk])
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:]
        for at in range(0, whole, FRAME):
            self._step(samples[at : at + FRAME])

    async def finish(self) -> None:
        """Hear silence, then end."""
        await self.send(silence(round((DELAY_S + 0.1) * RATE_HZ)))
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was heard."""
        while (event := await self._events.get()) is not None:
            yield event

    def _step(self, frame: Samples) -> None:
        self._frames += 1
        if float(np.max(np.abs(frame))) > LOUD:
            self._loud.append(frame)
            self._quiet = 0
            return
        self._quiet += 1
        if self._loud and self._quiet == 2:
            self._word()
        if self._heard and self._quiet == round(DELAY_S * RATE_HZ / FRAME) // 2:
            self._events.put_nowait(self._heard)
            self._heard = None
        if self._timed and self._quiet == round(PAUSE_S * RATE_HZ / FRAME):
            self._events.put_nowait(Pause())

    def _word(self) -> None:
        burst = np.concatenate(self._loud)
        self._loud = []
        seconds = len(burst) / RATE_HZ
        if seconds < LEAST_S:
            return
        crossings = int(np.sum(np.signbit(burst[1:]) != np.signbit(burst[:-1])))
        number = round((crossings / 2 / seconds - LOWEST_HZ) / STEP_HZ) % 40
        end = (self._frames - 2) * FRAME / RATE_HZ
        times = (end - seconds, end) if self._timed else (None, None)
        self._heard = Word(name(number), *times)
