"""What is no speech gives no words, and short words still do: with the real models.

Ten minutes of each sound are in `tests/accuracy`.
"""

from functools import cache

import numpy as np
import pytest

from livebot.audio.pcm import Samples
from livebot.stt.engine import Pause, SttEvent, Word
from livebot.stt.local.files import model_folder, vad_file
from livebot.stt.local.moonshine import Moonshine
from livebot.stt.local.offline import transcribe
from livebot.stt.local.streaming import SpeechStream
from livebot.stt.local.utterances import Cutter, Rules
from livebot.stt.local.vad import VadModel
from livebot.stt.model import RATE_HZ
from tests.accuracy.corpus import DEMO, Entry, entries
from tests.accuracy.sounds import KINDS, make

SECONDS = 8.0
CHANCES = ((6, -30.0), (11, -12.0))
"""Seeds and levels at which a voice that hums is nearest to speech."""
_WINDOW = 512


@cache
def models() -> tuple[Moonshine, VadModel]:
    """Load the models; blocks."""
    return Moonshine(model_folder()), VadModel(vad_file())


def live(samples: Samples) -> list[SttEvent]:
    """Return all events of a stream that is fed as somebody speaks, tentative ones included."""
    model, voice = models()
    stream = SpeechStream(model.listen, voice.stream())
    events: list[SttEvent] = []
    step = round(0.2 * RATE_HZ)
    for at in range(0, len(samples), step):
        stream.push(samples[at : at + step])
        while stream.wants():
            events += stream.run()
    stream.finish()
    while stream.wants():
        events += stream.run()
    return events


@pytest.mark.parametrize("kind", KINDS)
def test_sounds_give_no_words(kind: str) -> None:
    """At once or after silence, loud or soft. Spec: local-engines/No invented words."""
    model, voice = models()
    quiet = np.zeros(2 * RATE_HZ, np.float32)

    for seed, level_db in CHANCES:
        sound = make(kind, SECONDS, level_db=level_db, seed=seed)
        for clip in (sound, np.concatenate([quiet, sound, quiet])):
            assert transcribe(clip, model.listen, voice.stream()) == []


@pytest.mark.parametrize("kind", ["humming", "knocks", "arpeggios", "pink noise"])
def test_sounds_give_no_words_live(kind: str) -> None:
    """No word and no pause after one. Spec: local-engines/No invented words."""
    events = live(make(kind, SECONDS, level_db=-12, seed=11))

    assert not [event for event in events if isinstance(event, Word | Pause)]


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.03])
def test_short_words_are_heard(gain: float) -> None:
    """Single words, cut out of sentences, with some noise of a microphone: nine of ten at least.

    Nobody says `of` alone, so those of two letters do not count. Spec: local-engines/No invented
    words.
    """
    rng, kept, words = np.random.default_rng(0), 0, 0
    for one in entries(DEMO):
        for clip in _cut_out(one, rng, gain):
            kept += _is_heard(clip)
            words += 1

    assert words > 80
    assert kept / words >= 0.9


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_an_answer_of_one_word(noise: float) -> None:
    """Between pauses, in silence and in noise, a word is a word."""
    model, voice = models()
    one = next(e for e in entries(DEMO) if e.name == "libri_01_spk1089")
    samples = one.samples(RATE_HZ)
    word = next(w for w in one.words if w.letters == "number")
    quiet = np.zeros(RATE_HZ, np.float32)
    clip = np.concatenate(
        [quiet, samples[round(word.start * RATE_HZ) : round(word.end * RATE_HZ)], quiet]
    )
    clip += make("pink noise", len(clip) / RATE_HZ, level_db=-60) * noise

    (found,) = transcribe(clip, model.listen, voice.stream())

    assert found.text.casefold().startswith("number")


def _cut_out(one: Entry, rng: np.random.Generator, gain: float) -> list[Samples]:
    samples = one.samples(RATE_HZ)
    clips = []
    for word in one.words:
        if len(word.letters) > 2 and word.end - word.start >= 0.2:
            spoken = samples[round(word.start * RATE_HZ) : round(word.end * RATE_HZ)] * gain
            clip = np.pad(spoken, (RATE_HZ // 2, RATE_HZ))
            clips.append(clip + rng.normal(0, 1e-4, len(clip)).astype(np.float32))
    return clips


def _is_heard(clip: Samples) -> bool:
    _, voice = models()
    cutter, rules = Cutter(Rules()), Rules()
    whole = clip[: len(clip) // _WINDOW * _WINDOW]
    windows = whole.reshape(-1, _WINDOW)
    ended = [cutter.push(w, p) for w, p in zip(windows, voice.stream()(whole), strict=True)]
    return any(one.is_voice(rules) for one in [*ended, cutter.finish()] if one)
