"""What the embedded engine's model makes of a file by itself: the mark for every call."""

from functools import cache

import numpy as np
import soxr

from livebot.stt.local.files import model_folder
from livebot.stt.local.moonshine import RATE_HZ, Moonshine
from tests.support.wer import Wer, wer
from tests.system.world.recording import RATE_HZ as SOUND_RATE_HZ
from tests.system.world.recording import Recording


@cache
def own_wer(what: Recording) -> Wer:
    """Compare what is said with what the model understands, all of the file at once.

    No call, no voice activity, no cutting: whatever those cost shows in the difference.
    """
    sound = what.sound.astype(np.float32) / 2**15
    samples = soxr.resample(sound, SOUND_RATE_HZ, RATE_HZ)
    words = Moonshine(model_folder()).listen(samples).words()
    return wer(what.text, " ".join(word.text for word in words))
