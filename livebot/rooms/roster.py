"""Who is in the room, who speaks and who reads: participant updates in, sets out."""

from dataclasses import dataclass, field

from livebot.ids import SessionId
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


@dataclass(slots=True)
class Roster:
    """The sessions of one room; ours never counts.

    Args:
        own: Our own session, once known.
    """

    own: SessionId | None = None
    _names: dict[SessionId, str] = field(default_factory=dict)
    _calls: dict[SessionId, CallState] = field(default_factory=dict)
    _users: dict[SessionId, str] = field(default_factory=dict)
    _former: dict[SessionId, str] = field(default_factory=dict)

    def reset(self, own: SessionId) -> None:
        """Start over as a new session of ours: everything is told again."""
        self.own = own
        for session in list(self._users):
            self._leave(session)
        self._names.clear()
        self._calls.clear()

    def apply(self, event: SignalingEvent) -> None:
        """Take an event in; those that are not about participants change nothing."""
        match event:
            case ParticipantsJoined(participants=joined):
                self._names |= {p.session: p.name or p.user_id for p in joined}
                self._users |= {p.session: p.user_id for p in joined if p.user_id}
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

    def _set(self, state: CallState) -> None:
        if state.in_call and state.session != self.own:
            self._calls[state.session] = state
        else:
            self._calls.pop(state.session, None)

    def _leave(self, session: SessionId) -> None:
        self._names.pop(session, None)
        self._calls.pop(session, None)
        if user := self._users.pop(session, ""):
            self._former[session] = user
            while len(self._former) > MOST_FORMER:
                del self._former[next(iter(self._former))]

    def heir(self, session: SessionId) -> SessionId:
        """Return the session in the call that is the same person as one that is gone.

        After a restart of the server everybody is somebody new; guests, who have no account,
        stay unknown. Itself where there is none.
        """
        user = self._former.get(session)
        if user is None or session in self._calls:
            return session
        return next((s for s in self._calls if self._users.get(s) == user), session)

    def name(self, session: SessionId) -> str:
        """Return the display name, or the account, or nothing."""
        return self._names.get(session, "")

    @property
    def speakers(self) -> frozenset[SessionId]:
        """The people in the call who may be heard; bots never are."""
        return frozenset(s for s, state in self._calls.items() if state.speaks)

    @property
    def readers(self) -> list[SessionId]:
        """The people in the call, all of whom get the captions."""
        return [s for s, state in self._calls.items() if not state.internal]
