"""Who is in the room, who speaks and who could read: participant updates in, sets out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from livebot.ids import NO_TALK_SESSION, SessionId, TalkSessionId
from livebot.signaling.events import (
    CallChanged,
    CallEnded,
    CallState,
    ParticipantsJoined,
    ParticipantsLeft,
    SignalingEvent,
)

MOST_FORMER = 500
"""So many people who left are remembered, the newest."""


@dataclass(frozen=True, slots=True)
class _Person:
    """Who is behind a session: an account, and a page that is open in Talk; either may be ""."""

    user: str = ""
    talk: TalkSessionId = NO_TALK_SESSION

    def is_same(self, other: "_Person") -> bool:
        """Whether it is the same page, or the same account on another one."""
        same_page = self.talk != NO_TALK_SESSION and self.talk == other.talk
        return same_page or (self.user != "" and self.user == other.user)


_STRANGER = _Person()


@dataclass(slots=True)
class Roster:
    """The sessions of one room; ours never counts.

    Args:
        own: Our own session, once known.

    Attributes:
        version: Another one after each change.
    """

    own: SessionId | None = None
    version: int = 0
    _names: dict[SessionId, str] = field(default_factory=dict)
    _calls: dict[SessionId, CallState] = field(default_factory=dict)
    _people: dict[SessionId, _Person] = field(default_factory=dict)
    _former: dict[SessionId, _Person] = field(default_factory=dict)

    def reset(self, own: SessionId) -> None:
        """Start over as a new session of ours: everything is told again."""
        self.own = own
        self.version += 1
        for session in list(self._people):
            self._leave(session)
        self._names.clear()
        self._calls.clear()

    def apply(self, event: SignalingEvent) -> None:
        """Take an event in; those that are not about participants change nothing."""
        self.version += 1
        match event:
            case ParticipantsJoined(participants=joined):
                self._names |= {p.session: p.name or p.user_id for p in joined}
                for person in joined:
                    self._know(person.session, person.user_id, person.talk)
            case ParticipantsLeft(sessions=left):
                for session in left:
                    self._leave(session)
            case CallChanged(states=states):
                for state in states:
                    self._set(state)
            case CallEnded():
                self._calls.clear()
            case _:
                pass

    def _know(self, session: SessionId, user: str, talk: TalkSessionId) -> None:
        """Note who is behind a session; what is known stays where nothing is said."""
        known = self._people.get(session, _STRANGER)
        found = _Person(user or known.user, talk or known.talk)
        if found != _STRANGER:
            self._people[session] = found

    def _set(self, state: CallState) -> None:
        if not state.in_call or state.session == self.own:
            self._calls.pop(state.session, None)
            return
        self._calls[state.session] = state
        self._know(state.session, "", state.talk)

    def _leave(self, session: SessionId) -> None:
        self._names.pop(session, None)
        self._calls.pop(session, None)
        if person := self._people.pop(session, None):
            self._former[session] = person
            while len(self._former) > MOST_FORMER:
                del self._former[next(iter(self._former))]

    def heir(self, session: SessionId) -> SessionId:
        """Return the session in the call that is the same person as one that is gone.

        After a restart of the server everybody is somebody new. Itself where there is none.
        """
        former = self._former.get(session)
        if former is None or session in self._calls:
            return session
        heirs = (s for s in self._calls if former.is_same(self._people.get(s, _STRANGER)))
        return next(heirs, session)

    def name(self, session: SessionId) -> str:
        """Return the display name, or the account, or nothing."""
        return self._names.get(session, "")

    @property
    def speakers(self) -> frozenset[SessionId]:
        """The people in the call who may be heard; bots never are."""
        return frozenset(s for s, state in self._calls.items() if state.speaks)

    @property
    def people(self) -> Mapping[SessionId, TalkSessionId]:
        """The people in the call, and which page in Talk each of them is; "" where unknown."""
        return {
            session: self._people.get(session, _STRANGER).talk
            for session, state in self._calls.items()
            if not state.internal
        }
