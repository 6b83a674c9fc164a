"""Which finals a client was told already (pure), for when it falls behind and gets a snapshot."""

from collections import OrderedDict
from collections.abc import Iterable

from livebot.feeds.events import Final

MOST = 1024
"""Names of utterances that are remembered: twice as many as a snapshot has."""


class Told:
    """Utterances that were told."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def is_new(self, final: Final) -> bool:
        """Say whether a final was not told yet, and note that it is now."""
        if final.utterance in self._names:
            return False
        self._names[final.utterance] = None
        if len(self._names) > MOST:
            self._names.popitem(last=False)
        return True

    def new(self, finals: Iterable[Final]) -> list[Final]:
        """Return those that were not told yet, in order."""
        return [final for final in finals if self.is_new(final)]
