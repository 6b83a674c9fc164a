"""A recogniser that knows some recordings by heart: real speech in, its words out, in time.

It finds out which recording it hears by comparing samples, and then tells each word a while after
it was spoken. Shares no code with livebot.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tests.support.tone_model import Heard, Stepped

RATE_HZ = 24_000
DELAY_S = 0.5
"""From the end of a word to its token."""

ANCHOR_EVERY = 400
SAMPLES = 4
"""So many samples of 16 bits in a row are taken for the same ones."""

LOUD = 200


@dataclass(frozen=True)
class Script:
    """A recording and what is said in it.

    Attributes:
        samples: 16 bits each.
        words: Each with its start and its end in seconds.
    """

    samples: npt.NDArray[np.int16]
    words: tuple[tuple[str, float, float], ...]


class Scripts:
    """All recordings that are known."""

    def __init__(self, scripts: list[Script]) -> None:
        self.scripts = scripts
        found: dict[int, tuple[int, int]] = {}
        for number, script in enumerate(scripts):
            keys = _keys(script.samples)
            for at in range(0, len(keys), ANCHOR_EVERY):
                if np.max(np.abs(script.samples[at : at + SAMPLES].astype(int))) > LOUD:
                    found.setdefault(int(keys[at]), (number, at))
        self._found = found
        self._known = np.array(sorted(found), dtype=np.uint64)

    def place(self, heard: npt.NDArray[np.int16]) -> tuple[Script, int] | None:
        """Return which recording is heard and where in what is heard it begins."""
        keys = _keys(heard)
        for at in np.flatnonzero(np.isin(keys, self._known))[:20]:
            number, anchor = self._found[int(keys[at])]
            script, size = self.scripts[number], min(200, len(heard) - int(at))
            same = script.samples[anchor : anchor + size]
            if np.array_equal(same, heard[at : at + size][: len(same)]):
                return script, int(at) - anchor
        return None


def _keys(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.uint64]:
    windows = np.lib.stride_tricks.sliding_window_view(samples, SAMPLES)
    return np.ascontiguousarray(windows).view(np.uint64).reshape(-1)


@dataclass
class SpeechModel:
    """One stream; as `tone_model.ToneModel`. Tells words of which it heard all."""

    scripts: Scripts
    _heard: list[npt.NDArray[np.int16]] = field(default_factory=list)
    _count: int = 0
    _script: Script | None = None
    _begins: int = 0
    _known_s: float = 0.0
    _told: int = 0

    def feed(self, samples: npt.NDArray[np.float32]) -> list[Stepped]:
        """Hear some more; return the words that are due."""
        whole = np.round(samples * 32_768).astype(np.int16)
        begin, self._count = self._count, self._count + len(whole)
        if self._script is None:
            self._heard.append(whole)
            whole, begin = np.concatenate(self._heard), 0
            if (found := self.scripts.place(whole)) is None:
                return []
            self._script, self._begins = found
            self._known_s = -self._begins / RATE_HZ
            self._heard.clear()
        self._compare(self._script, whole, begin - self._begins)
        now_s, since_s = (self._count - self._begins) / RATE_HZ, -self._begins / RATE_HZ
        words = [word for word in self._script.words if word[1] >= since_s]
        due = [w for w in words if w[2] <= self._known_s and w[2] + DELAY_S <= now_s]
        new, self._told = due[self._told :], len(due)
        return [Stepped(0, 0, tuple(Heard(*word) for word in new))] if new else []

    def _compare(self, script: Script, heard: npt.NDArray[np.int16], at: int) -> None:
        """Note up to where what is heard is the recording."""
        first = max(0, -at)
        expected = script.samples[at + first : at + len(heard)]
        same = heard[first : first + len(expected)] == expected
        known = len(same) if np.all(same) else int(np.argmin(same))
        if known and (at + first) / RATE_HZ <= self._known_s + 1 / RATE_HZ:
            self._known_s = (at + first + known) / RATE_HZ
