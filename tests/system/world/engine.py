"""What the embedded engine makes of a file by itself: the mark for every call."""

from functools import cache

import numpy as np
import soxr

from livebot.stt.local.files import model_folder, vad_file
from livebot.stt.local.moonshine import RATE_HZ, Moonshine
from livebot.stt.local.offline import transcribe
from livebot.stt.local.vad import VadModel
from tests.support.wer import Wer, wer
from tests.system.world.recording import RATE_HZ as SOUND_RATE_HZ
from tests.system.world.recording import Recording


@cache
def own_wer(what: Recording) -> Wer:
    """Compare what is said with what the engine understands of the file, with all its time.

    Blocks for some hundred milliseconds.
    """
    sound = what.sound.astype(np.float32) / 2**15
    samples = soxr.resample(sound, SOUND_RATE_HZ, RATE_HZ)
    model, voice = Moonshine(model_folder()), VadModel(vad_file())
    words = transcribe(samples, model.listen, voice.stream())
    return wer(what.text, " ".join(word.text for word in words))
