"""Which speakers' audio is wanted, asked for, and had.

The server answers a request with an offer, with an error, or (a lost message) never.
Rule 1: one request in flight per speaker; with several, only the last handle lives.
Rule 2: what fails is asked for again, later each time, as long as it is wanted:
a speaker who is not publishing yet is the normal case, and a ghost is not hammered.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from livebot.ids import SessionId
from livebot.signaling.backoff import Backoff

OFFER_TIMEOUT_S = 15.0
"""The server itself gives up after 10 s; after this, the answer was lost."""

FIRST_RETRY_S = 1.0
MOST_RETRY_S = 30.0


class _State(Enum):
    DUE = auto()
    ASKED = auto()
    HELD = auto()


@dataclass(slots=True)
class _Subscription:
    state: _State
    at: float
    request: str = ""
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_RETRY_S, MOST_RETRY_S))

    def retry(self, now: float) -> None:
        self.state = _State.DUE
        self.request = ""
        self.at = now + self.backoff.next_delay(0.0)


class Subscriptions:
    """The subscriptions of one session of ours."""

    def __init__(self) -> None:
        self._wanted: dict[SessionId, _Subscription] = {}

    def want(self, speaker: SessionId, now: float) -> None:
        """Want a speaker's audio; nothing changes when it is wanted already."""
        self._wanted.setdefault(speaker, _Subscription(_State.DUE, now))

    def forget(self, speaker: SessionId) -> None:
        """Want it no more."""
        self._wanted.pop(speaker, None)

    def clear(self) -> None:
        """Forget all: our session is gone, and its subscriptions with it."""
        self._wanted.clear()

    def lost(self, speaker: SessionId, now: float) -> None:
        """The audio stopped: ask again after a while, unless a request is under way."""
        found = self._wanted.get(speaker)
        if found is not None and found.state is _State.HELD:
            found.retry(now)

    def steady(self, speaker: SessionId) -> None:
        """Audio arrives: the next loss is a new one, to be repaired at once."""
        if found := self._wanted.get(speaker):
            found.backoff.reset()

    def is_wanted(self, speaker: SessionId) -> bool:
        """Say whether an offer of this speaker is welcome."""
        return speaker in self._wanted

    def offered(self, speaker: SessionId) -> float | None:
        """The offer came; return when it was asked for, None if nobody asked."""
        found = self._wanted.get(speaker)
        if found is None or found.state is not _State.ASKED:
            return None
        found.state = _State.HELD
        found.request = ""
        return found.at - OFFER_TIMEOUT_S

    def refused(self, request: str, now: float) -> SessionId | None:
        """A request failed; return whose it was, None if it was not one of ours."""
        for speaker, found in self._wanted.items():
            if found.state is _State.ASKED and found.request == request:
                found.retry(now)
                return speaker
        return None

    def expire(self, now: float) -> list[SessionId]:
        """Take back the requests that got no answer in time; return whose they were."""
        late = [
            speaker
            for speaker, found in self._wanted.items()
            if found.state is _State.ASKED and found.at <= now
        ]
        for speaker in late:
            self._wanted[speaker].retry(now)
        return late

    def due(self, now: float) -> list[SessionId]:
        """Return the speakers to ask for now."""
        return [
            s for s, found in self._wanted.items() if found.state is _State.DUE and found.at <= now
        ]

    def asked(self, speaker: SessionId, request: str, now: float) -> None:
        """The request with this message id is on its way."""
        found = self._wanted[speaker]
        found.state = _State.ASKED
        found.request = request
        found.at = now + OFFER_TIMEOUT_S

    @property
    def next_deadline(self) -> float | None:
        """When something is due next."""
        return min(
            (f.at for f in self._wanted.values() if f.state is not _State.HELD), default=None
        )
