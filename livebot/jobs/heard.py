"""What is understood of jobs before they are over, for those who listen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from livebot.stt.engine import Word
from livebot.stt.host.reading import OnUtterance
from livebot.transcripts.model import Utterance


class Heard:
    """Utterances of jobs; of those only to which somebody listens."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}

    @contextmanager
    def of(self, job: str) -> Iterator[Sequence[str]]:
        """Listen to a job inside of the context; yield its texts, which grow."""
        texts = self._texts.setdefault(job, [])
        try:
            yield texts
        finally:
            self._texts.pop(job, None)

    def begin(self, job: str) -> OnUtterance:
        """Return what is to be told the utterances of a job, from its beginning on."""
        if texts := self._texts.get(job):
            texts.clear()

        def add(words: tuple[Word, ...]) -> None:
            if (listening := self._texts.get(job)) is not None:
                listening.append(Utterance(words).text)

        return add
