"""Which speakers' audio is wanted, asked for, and had.

The server answers a request with an offer, with an error, or (a lost message) never.
Rule 1: one request in flight per speaker; with several, only the last handle lives.
Rule 2: what fails is asked for again, later each time, as long as it is wanted:
a speaker who is not publishing yet is the normal case, and a ghost is not hammered.
Rule 3: few requests at once. After a restart of the server everybody comes back together;
but a speaker whose audio is not there holds nobody else's up.
"""

import heapq
import math
from collections.abc import Callable, KeysView
from dataclasses import dataclass
from enum import Enum, auto

from livebot.backoff import Backoff
from livebot.ids import SessionId

OFFER_TIMEOUT_S = 15.0
"""The server itself gives up after 10 s; after this, the answer was lost."""

FIRST_RETRY_S = 1.0
MOST_RETRY_S = 30.0

AT_ONCE = 10
"""Requests in flight that the server may be busy with."""

BUSY_S = 1.0
"""A request without an answer for so long waits for its speaker, not for the server."""


class _State(Enum):
    DUE = auto()
    ASKED = auto()
    HELD = auto()


@dataclass(slots=True)
class _Subscription:
    """One speaker's; `request` is the message whose failure would end what is under way.

    `at` is when to ask, or when the request was made.
    """

    at: float
    backoff: Backoff
    state: _State = _State.DUE
    request: str = ""


class Subscriptions:
    """The subscriptions of one session of ours.

    Args:
        chance: Returns a random number in [0, 1), so that not all ask again together.
    """

    def __init__(self, chance: Callable[[], float] = lambda: 0.0) -> None:
        self._chance = chance
        self._wanted: dict[SessionId, _Subscription] = {}

    def want(self, speaker: SessionId, now: float) -> None:
        """Want a speaker's audio; nothing changes when it is wanted already."""
        if speaker not in self._wanted:
            self._wanted[speaker] = _Subscription(now, Backoff(FIRST_RETRY_S, MOST_RETRY_S))

    def forget(self, speaker: SessionId) -> None:
        """Want it no more; the protocol has no message for it."""
        self._wanted.pop(speaker, None)

    def clear(self) -> None:
        """Forget all: our session is gone, and its subscriptions with it."""
        self._wanted.clear()

    def lost(self, speaker: SessionId, now: float) -> None:
        """The audio stopped: ask again after a while, unless a request is under way."""
        found = self._wanted.get(speaker)
        if found is not None and found.state is _State.HELD:
            self._retry(found, now)

    def steady(self, speaker: SessionId) -> None:
        """Audio arrives: the next loss is a new one, to be repaired at once."""
        if found := self._wanted.get(speaker):
            found.backoff.reset()

    @property
    def wanted(self) -> KeysView[SessionId]:
        """Whose offers are welcome."""
        return self._wanted.keys()

    def offered(self, speaker: SessionId) -> float | None:
        """An offer came, which is all we want; return when it was asked for, if it was."""
        found = self._wanted.get(speaker)
        if found is None:
            return None
        asked_at = found.at if found.state is _State.ASKED else None
        found.state = _State.HELD
        found.request = ""
        return asked_at

    def answered(self, speaker: SessionId, request: str) -> None:
        """Our answer to an offer is on its way, in the message with this id."""
        found = self._wanted.get(speaker)
        if found is not None and found.state is _State.HELD:
            found.request = request

    def refused(self, request: str, now: float) -> SessionId | None:
        """A message failed; return whose audio will not come, None if it was not one of ours."""
        for speaker, found in self._wanted.items():
            if found.request and found.request == request:
                self._retry(found, now)
                return speaker
        return None

    def expire(self, now: float) -> list[SessionId]:
        """Take back the requests that got no answer in time; return whose they were."""
        late = [
            speaker
            for speaker, found in self._wanted.items()
            if found.state is _State.ASKED and found.at + OFFER_TIMEOUT_S <= now
        ]
        for speaker in late:
            self._retry(self._wanted[speaker], now)
        return late

    def due(self, now: float) -> list[SessionId]:
        """Return the speakers to ask for now, those who wait longest first."""
        busy = sum(at + BUSY_S > now for at in self._asked())
        due = [
            (found.at, speaker)
            for speaker, found in self._wanted.items()
            if found.state is _State.DUE and found.at <= now
        ]
        return [speaker for _, speaker in heapq.nsmallest(AT_ONCE - busy, due)]

    def asked(self, speaker: SessionId, request: str, now: float) -> None:
        """The request with this message id is on its way."""
        found = self._wanted[speaker]
        found.state = _State.ASKED
        found.request = request
        found.at = now

    @property
    def next_deadline(self) -> float | None:
        """When something is due next."""
        asked = self._asked()
        newest = heapq.nlargest(AT_ONCE, asked)
        free_at = newest[-1] + BUSY_S if len(newest) == AT_ONCE else -math.inf
        due = [max(f.at, free_at) for f in self._wanted.values() if f.state is _State.DUE]
        return min([*due, *(at + OFFER_TIMEOUT_S for at in asked)], default=None)

    def _asked(self) -> list[float]:
        """Return when the requests without an answer were made."""
        return [f.at for f in self._wanted.values() if f.state is _State.ASKED]

    def _retry(self, found: _Subscription, now: float) -> None:
        found.state = _State.DUE
        found.request = ""
        found.at = now + found.backoff.next_delay(self._chance())
