"""What the embedded engine makes of a file by itself: the mark for every call."""

from functools import cache

import numpy as np
import soxr

from livebot.stt.local.files import model_folder, vad_file
from livebot.stt.local.moonshine import Moonshine
from livebot.stt.local.offline import transcribe
from livebot.stt.local.vad import VadModel
from livebot.stt.model import RATE_HZ
from tests.support.wer import Wer, wer
from tests.system.world.recording import RATE_HZ as SOUND_RATE_HZ
from tests.system.world.recording import Recording

_SHIFTS_S = (0.0, 0.007, 0.013, 0.019, 0.026)
"""Silence before the file. Voice activity looks at 32 ms at a time: where in a window speech
begins decides where utterances are cut, and with that now and then about a word. In a call
it is anywhere, so one look at the file is no mark."""


@cache
def own_wers(what: Recording) -> list[Wer]:
    """Compare what is said with what the engine understands of the file, with all its time.

    Blocks for a second.

    Returns:
        One result for the file as it is, and one for each time it begins a little later.
    """
    sound = what.sound.astype(np.float32) / 2**15
    samples = soxr.resample(sound, SOUND_RATE_HZ, RATE_HZ)
    model, voice = Moonshine(model_folder()), VadModel(vad_file())
    found = []
    for shift_s in _SHIFTS_S:
        shifted = np.concatenate([np.zeros(round(shift_s * RATE_HZ), np.float32), samples])
        words = transcribe(shifted, model.listen, voice.stream())
        found.append(wer(what.text, " ".join(word.text for word in words)))
    return found
