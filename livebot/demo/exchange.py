"""Who publishes and who listens, without media: requests in, commands for the SFU out.

A publication is known by its speaker, a subscription by its `sid`. Of one reader and one
speaker only the newest subscription lives, as on the real server.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from livebot.demo.wire import RefusedError
from livebot.ids import SessionId

HOLD_S: Final = 10.0
"""How long a request waits for its speaker to publish."""

MAX_HELD: Final = 1000
"""Requests that may wait at the same time; more are refused."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Take in a speaker's audio; `request` is the id to answer an error with."""

    speaker: SessionId
    sid: str
    sdp: str
    request: str


@dataclass(frozen=True, slots=True)
class Unpublish:
    """Take in a speaker's audio no more."""

    speaker: SessionId


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Offer a speaker's audio to a reader; once more where the subscription exists."""

    reader: SessionId
    speaker: SessionId
    sid: str
    request: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A reader answered the offer of a subscription."""

    reader: SessionId
    sid: str
    sdp: str
    request: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ICE candidate for a publication (by speaker) or a subscription (by `sid`)."""

    peer: str
    candidate: str
    mid: str | None
    index: int | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """End a subscription."""

    sid: str


Command: TypeAlias = Publish | Unpublish | Subscribe | Answered | Candidate | Unsubscribe


@dataclass(frozen=True, slots=True)
class _Held:
    reader: SessionId
    speaker: SessionId
    request: str
    until: float


class Exchange:
    """The media requests of all sessions.

    Args:
        new_sid: Makes the id of a subscription, never the same twice.
    """

    def __init__(self, new_sid: Callable[[], str]) -> None:
        self._new_sid = new_sid
        self._publishing: dict[SessionId, str] = {}
        self._live: set[SessionId] = set()
        self._subscriptions: dict[tuple[SessionId, SessionId], str] = {}
        self._held: list[_Held] = []
        self._commands: list[Command] = []

    def commands_to_do(self) -> list[Command]:
        """Return what the SFU has to do, in order, and forget it."""
        commands, self._commands = self._commands, []
        return commands

    def publish(self, speaker: SessionId, sid: str, sdp: str, request: str) -> None:
        """Take an offer of the speaker; a new `sid` replaces the publication there is."""
        if self._publishing.get(speaker, sid) != sid:
            self.unpublish(speaker)
        self._publishing[speaker] = sid
        self._commands.append(Publish(speaker, sid, sdp, request))

    def published(self, speaker: SessionId, sid: str) -> bool:
        """Note that the SFU takes the audio in; return False if it is not wanted any more."""
        if self._publishing.get(speaker) != sid:
            return False
        self._live.add(speaker)
        ready = [held for held in self._held if held.speaker == speaker]
        self._held = [held for held in self._held if held.speaker != speaker]
        for held in ready:
            self._subscribe(held.reader, speaker, held.request)
        return True

    def unpublish(self, speaker: SessionId) -> None:
        """End a speaker's publication and all that listen to it, without a word to them."""
        if self._publishing.pop(speaker, None) is None:
            return
        self._live.discard(speaker)
        for key in [key for key in self._subscriptions if key[1] == speaker]:
            self._commands.append(Unsubscribe(self._subscriptions.pop(key)))
        self._commands.append(Unpublish(speaker))

    def request_offer(
        self, reader: SessionId, speaker: SessionId, *, sid: str, request: str, now: float
    ) -> None:
        """Ask for a speaker's audio; held until there is some.

        Raises:
            RefusedError: Too many wait.
        """
        if reader == speaker:
            return
        if sid and self._subscriptions.get((reader, speaker)) == sid:
            self._commands.append(Subscribe(reader, speaker, sid, request))
        elif speaker in self._live:
            self._subscribe(reader, speaker, request)
        elif len(self._held) < MAX_HELD:
            self._held.append(_Held(reader, speaker, request, now + HOLD_S))
        else:
            raise RefusedError("processing_failed", "Too many requests wait.")

    def is_offered(self, reader: SessionId, speaker: SessionId, sid: str) -> bool:
        """Whether this is the subscription that counts."""
        return self._subscriptions.get((reader, speaker)) == sid

    def answer(
        self, reader: SessionId, speaker: SessionId, *, sid: str, sdp: str, request: str
    ) -> None:
        """Take the answer to an offer; without a `sid` it is for the newest.

        Raises:
            RefusedError: There is no such subscription.
        """
        current = self._current(reader, speaker, sid)
        self._commands.append(Answered(reader, current, sdp, request))

    def candidate(
        self,
        sender: SessionId,
        recipient: SessionId,
        *,
        sid: str,
        candidate: str,
        mid: str | None,
        index: int | None,
    ) -> None:
        """Take a candidate: for one's own publication or for a subscription.

        Raises:
            RefusedError: There is no such publication or subscription.
        """
        if sender == recipient:
            if sender not in self._publishing:
                raise RefusedError("processing_failed", "Nothing is published.")
            peer: str = sender
        else:
            peer = self._current(sender, recipient, sid)
        self._commands.append(Candidate(peer, candidate, mid, index))

    def lost(self, sid: str) -> None:
        """Forget a subscription whose connection died."""
        for key in [key for key, each in self._subscriptions.items() if each == sid]:
            del self._subscriptions[key]

    def leave(self, session: SessionId) -> None:
        """End everything of a session that left the call."""
        self.unpublish(session)
        for key in [key for key in self._subscriptions if key[0] == session]:
            self._commands.append(Unsubscribe(self._subscriptions.pop(key)))
        self._held = [held for held in self._held if held.reader != session]

    def expire(self, now: float) -> list[tuple[SessionId, str]]:
        """Return reader and request of those that waited in vain."""
        late = [held for held in self._held if now >= held.until]
        self._held = [held for held in self._held if now < held.until]
        return [(held.reader, held.request) for held in late]

    @property
    def next_deadline(self) -> float | None:
        """When `expire()` is due next."""
        return min((held.until for held in self._held), default=None)

    def _subscribe(self, reader: SessionId, speaker: SessionId, request: str) -> None:
        old = self._subscriptions.get((reader, speaker))
        if old is not None:
            self._commands.append(Unsubscribe(old))
        sid = self._new_sid()
        self._subscriptions[reader, speaker] = sid
        self._commands.append(Subscribe(reader, speaker, sid, request))

    def _current(self, reader: SessionId, speaker: SessionId, sid: str) -> str:
        current = self._subscriptions.get((reader, speaker))
        if current is None or sid not in ("", current):
            raise RefusedError("processing_failed", "There is no such subscription.")
        return current
