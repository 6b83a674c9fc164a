"""The one transcript model (pure): calls, files and live sessions all end in it."""

from dataclasses import dataclass, field

from livebot.stt.engine import Word


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody said between two pauses.

    Attributes:
        words: At least one; times in seconds from the recording's beginning, never decreasing.
        speaker: Who, like `SPEAKER_1` or a name; empty where nobody knows.
        language: Code (ISO 639-1) of what was spoken; empty where nobody knows.
    """

    words: tuple[Word, ...]
    speaker: str = ""
    language: str = ""

    @property
    def text(self) -> str:
        """Return the words, with spaces where they belong."""
        return "".join(
            word.text if word.joined or not number else f" {word.text}"
            for number, word in enumerate(self.words)
        )

    @property
    def start(self) -> float:
        """Return when it begins, in seconds."""
        return self.words[0].start or 0.0

    @property
    def end(self) -> float:
        """Return when it ends, in seconds."""
        return self.words[-1].end or self.start


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was said.

    Attributes:
        utterances: Ordered by start.
        duration: Of the recording, in seconds.
        language: Code of the language, detected or given; empty where nobody knows.
        language_probability: 0 to 1 where it was detected; None where it was given.
        model: What recognised it.
        source: The file's name, or what was given as such.
    """

    utterances: tuple[Utterance, ...]
    duration: float
    language: str = ""
    language_probability: float | None = None
    model: str = ""
    source: str = ""
    speakers: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        """Return everything as one text, utterances separated by spaces."""
        return " ".join(utterance.text for utterance in self.utterances)
