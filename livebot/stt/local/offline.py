"""A whole recording at once: the measure that streaming is held against."""

from livebot.audio.pcm import Samples
from livebot.stt.engine import Word
from livebot.stt.local.streaming import Listen, SpeechStream, VoiceActivity
from livebot.stt.local.utterances import RATE_HZ, Rules


def transcribe(
    samples: Samples, listen: Listen, voice: VoiceActivity, rules: Rules | None = None
) -> list[Word]:
    """Return the words of a recording at 16 kHz: cut by voice activity, each piece heard once.

    Args:
        samples: The recording.
        listen: The model.
        voice: Voice activity, fresh.
        rules: How to cut.
    """
    stream = SpeechStream(listen, voice, rules)
    words: list[Word] = []
    for at in range(0, len(samples) + RATE_HZ, RATE_HZ):
        stream.push(samples[at : at + RATE_HZ])
        if at >= len(samples):
            stream.finish()
        while (want := stream.wants()) and want.is_final:
            words += [event for event in stream.run() if isinstance(event, Word)]
    return words
