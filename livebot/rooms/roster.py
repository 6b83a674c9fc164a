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


@dataclass(slots=True)
class Roster:
    """The sessions of one room; ours never counts.

    Args:
        own: Our own session, once known.
    """

    own: SessionId | None = None
    _names: dict[SessionId, str] = field(default_factory=dict)
    _calls: dict[SessionId, CallState] = field(default_factory=dict)

    def reset(self, own: SessionId) -> None:
        """Start over as a new session of ours: everything is told again."""
        self.own = own
        self._names.clear()
        self._calls.clear()

    def apply(self, event: SignalingEvent) -> None:
        """Take an event in; those that are not about participants change nothing."""
        match event:
            case ParticipantsJoined(participants=joined):
                self._names |= {p.session: p.name or p.user_id for p in joined}
            case ParticipantsLeft(sessions=left):
                for session in left:
                    self._names.pop(session, None)
                    self._calls.pop(session, None)
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
