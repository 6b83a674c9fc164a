"""From what was recognised to a transcript."""

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
