"""What people say in the suite: clips one after the other, each word with its time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache

import numpy as np

from tests.system.world.recording import RATE_HZ, Sound, bare_words, recording
from tests.system.world.tape import packets

CLIPS = (
    "ls_61", "libri_04_spk1221", "ls_7902", "libri_02_spk1188",
    "libri_01_spk1089", "ls_6930", "libri_05_spk1284",
)  # fmt: skip
"""Clips of which the embedded engine loses no word, and no two alike: 85 words in 31 s."""

_EDGE_S = 0.2
"""A clip does not begin with speech, nor end with it."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A long talk.

    Attributes:
        sound: How it sounds.
        packets: The same, as Opus.
        words: Each word and when it ends, in seconds from the beginning.
        ends: When each clip is over.
    """

    sound: Sound = field(repr=False)
    packets: tuple[bytes, ...] = field(repr=False)
    words: tuple[tuple[str, float], ...]
    ends: tuple[float, ...]

    def end_after(self, second: float) -> float:
        """Return when the clip is over that is being said at *second*."""
        return next(end for end in self.ends if end >= second)


@cache
def talk(seconds: float, first: int, pause_s: float) -> Talk:
    """Return a talk of at least *seconds* that begins with the clip number *first*."""
    pause: Sound = np.zeros(round(pause_s * RATE_HZ), dtype=np.int16)
    sounds: list[Sound] = []
    words: list[tuple[str, float]] = []
    ends: list[float] = []
    begins = 0.0
    while begins < seconds:
        name = CLIPS[(first + len(ends)) % len(CLIPS)]
        clip = recording(name)
        words += [(word, begins + end) for word, end in _words(name)]
        ends.append(begins + clip.seconds)
        begins = ends[-1] + pause_s
        sounds += [clip.sound, pause]
    sound = np.concatenate(sounds)
    return Talk(sound, packets(sound), tuple(words), tuple(ends))


@cache
def _words(name: str) -> Sequence[tuple[str, float]]:
    """Return each word of a clip and when it ends; guessed from its neighbours where unknown."""
    clip = recording(name)
    texts = bare_words(clip.text)
    known = [(word.text.lower(), word.end) for word in clip.words]
    ends: dict[int, float] = {-1: _EDGE_S, len(texts) - 1: clip.seconds - _EDGE_S}
    matcher = SequenceMatcher(None, texts, [text for text, _ in known], autojunk=False)
    for block in matcher.get_matching_blocks():
        ends |= {block.a + i: known[block.b + i][1] for i in range(block.size)}
    return [(text, _between(index, ends)) for index, text in enumerate(texts)]


def _between(index: int, ends: dict[int, float]) -> float:
    before = max(i for i in ends if i <= index)
    after = min(i for i in ends if i >= index)
    share = (index - before) / (after - before) if after > before else 0.0
    return ends[before] + share * (ends[after] - ends[before])
