"""Who speaks in a room, for those who read along and for what is kept (pure).

Sessions of the signaling server open doors there, so nobody outside is told any: people have
numbers, which stay the same while the room is served, also when somebody leaves and comes back.
Nobody is forgotten who leaves: last words come later.
"""

from dataclasses import dataclass, field

from livebot.feeds.events import Speaker
from livebot.ids import NO_TALK_SESSION, SessionId, TalkSessionId
from livebot.signaling.events import CallChanged, ParticipantsJoined, SignalingEvent

MOST_SESSIONS = 5000
"""Remembered of one room, the newest."""

GUEST = "guest:"
"""No account has a colon in its name."""


@dataclass(slots=True)
class _Session:
    """What is known of a session."""

    user: str = ""
    name: str = ""
    talk: TalkSessionId = NO_TALK_SESSION
    number: str = ""

    @property
    def keys(self) -> list[str]:
        """What says that two sessions are the same person, the surest first."""
        return [*([f"user {self.user}"] if self.user else []), *self._page]

    @property
    def _page(self) -> list[str]:
        return [f"page {self.talk}"] if self.talk else []


@dataclass(slots=True)
class People:
    """The people of one room, here or gone."""

    _sessions: dict[SessionId, _Session] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)
    _last: int = 0

    def apply(self, event: SignalingEvent) -> None:
        """Take an event in; those that are not about participants change nothing."""
        match event:
            case ParticipantsJoined(participants=joined):
                for each in joined:
                    self._know(each.session, each.user_id, each.talk, each.name)
            case CallChanged(states=states):
                for state in states:
                    self._know(state.session, state.user_id, state.talk, "")
            case _:
                pass

    def speaker(self, session: SessionId) -> Speaker:
        """Return who a session is, as readers are told."""
        known = self._of(session)
        if not known.number:
            known.number = self._number(known)
            self._remember(known)
        return Speaker(known.number, known.name or known.user)

    def person(self, session: SessionId) -> str:
        """Return by what somebody is erased: the account, or `guest:NAME`."""
        known = self._of(session)
        return known.user or GUEST + known.name

    def is_speaker(self, speaker: Speaker, person: str) -> bool:
        """Say whether it is this person who was told of as this speaker."""
        if person.startswith(GUEST):
            accounts = {each.number for each in self._sessions.values() if each.user}
            return speaker.name == person.removeprefix(GUEST) and speaker.id not in accounts
        numbers = {each.number for each in self._sessions.values() if each.user == person != ""}
        return speaker.id in {*numbers, self._numbers.get(f"user {person}")} - {""}

    def _know(self, session: SessionId, user: str, talk: TalkSessionId, name: str) -> None:
        """Note who is behind a session; what is known stays where nothing is said."""
        known = self._of(session)
        known.user = user or known.user
        known.talk = talk or known.talk
        known.name = name or known.name
        self._remember(known)

    def _of(self, session: SessionId) -> _Session:
        if session not in self._sessions:
            self._sessions[session] = _Session()
            while len(self._sessions) > MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return self._sessions[session]

    def _number(self, known: _Session) -> str:
        for key in known.keys:
            if found := self._numbers.get(key):
                return found
        self._last += 1
        return str(self._last)

    def _remember(self, known: _Session) -> None:
        """Let who comes back as the same account or page have the same number."""
        if known.number:
            for key in known.keys:
                self._numbers.setdefault(key, known.number)
            while len(self._numbers) > 2 * MOST_SESSIONS:
                del self._numbers[next(iter(self._numbers))]
