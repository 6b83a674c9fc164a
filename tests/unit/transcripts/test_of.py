"""From what was recognised to a transcript."""

from livebot.stt.diarize.turns import Turn
from livebot.stt.engine import Word
from livebot.stt.host.reading import Recognition
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.of import transcript


def test_everything_is_kept() -> None:
    """Utterances without words are none."""
    words = (Word("And", 0.5, 0.8), Word("so", 0.8, 1.0))
    heard = Recognition((words, ()), 2.5, "en", 0.9, "base")

    assert transcript(heard, "a.wav") == Transcript(
        (Utterance(words, language="en"),), 2.5, "en", 0.9, "base", "a.wav"
    )


def test_speakers_are_told_apart_where_it_is_known_who_speaks() -> None:
    """Their names are in the transcript in the order in which they speak."""
    words = (Word("And", 0.5, 0.8), Word("so", 0.8, 1.0))
    heard = Recognition((words,), 2.5, "en", 0.9, "base")

    found = transcript(heard, "a.wav", [Turn(0.0, 0.8, 3), Turn(0.8, 2.0, 1)])

    assert [(each.speaker, each.text) for each in found.utterances] == [
        ("SPEAKER_1", "And"),
        ("SPEAKER_2", "so"),
    ]
    assert found.speakers == ("SPEAKER_1", "SPEAKER_2")
