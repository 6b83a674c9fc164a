"""What the room needs to know of the conversation with the signaling server."""

from dataclasses import dataclass
from typing import TypeAlias

from livebot.ids import NO_TALK_SESSION, RoomToken, SessionId, TalkSessionId


@dataclass(frozen=True, slots=True)
class Entered:
    """We are in the room: whatever was known of it before is void, and is told again.

    Attributes:
        session: Who we are now.
        is_return: Whether we were in this room before, as a session that is gone. After a
            restart of the server nobody else is in the room yet: people come back, as new
            sessions too, within seconds.
    """

    session: SessionId
    is_return: bool = False


@dataclass(frozen=True, slots=True)
class Switched:
    """The call goes on in another room, a breakout room or back, and we follow.

    Whoever was in the old room is void; `Entered` comes when we are in the new one.
    """

    room: RoomToken


@dataclass(frozen=True, slots=True)
class Resumed:
    """We are back in the room as the same session; missed events follow by themselves."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One session in the room, whether in the call or not; `talk` is what Talk calls it."""

    session: SessionId
    user_id: str = ""
    name: str = ""
    internal: bool = False
    talk: TalkSessionId = NO_TALK_SESSION


@dataclass(frozen=True, slots=True)
class ParticipantsJoined:
    """Sessions came into the room."""

    participants: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class ParticipantsLeft:
    """Sessions left the room."""

    sessions: tuple[SessionId, ...]


IN_CALL = 1
WITH_AUDIO = 2


@dataclass(frozen=True, slots=True)
class CallState:
    """How one session takes part in the call.

    Attributes:
        session: The session.
        flags: Bits: 1 in the call, 2 with audio, 4 with video, 8 by phone; 0 not in the call.
        internal: Whether it is a bot (or another internal client), not a person.
        user_id: The person's account, where known.
        talk: What Talk calls the session, where known.
    """

    session: SessionId
    flags: int
    internal: bool = False
    user_id: str = ""
    talk: TalkSessionId = NO_TALK_SESSION

    @property
    def in_call(self) -> bool:
        """Say whether the session takes part in the call."""
        return bool(self.flags & IN_CALL)

    @property
    def speaks(self) -> bool:
        """Say whether there may be audio to transcribe."""
        return self.in_call and bool(self.flags & WITH_AUDIO) and not self.internal


@dataclass(frozen=True, slots=True)
class CallChanged:
    """These sessions' part in the call is now so; others are as they were."""

    states: tuple[CallState, ...]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call was ended for everybody."""


@dataclass(frozen=True, slots=True)
class RoomClosed:
    """The room is gone, or we were put out of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Offered:
    """The media server offers a speaker's audio.

    Attributes:
        session: The speaker.
        sid: The subscription; the same one again means a renegotiation. Empty from old servers.
        sdp: The offer.
        asked_at: When it was asked for, on the caller's clock; None for a renegotiation.
    """

    session: SessionId
    sid: str
    sdp: str
    asked_at: float | None = None


@dataclass(frozen=True, slots=True)
class CandidateFound:
    """Where the media server can be reached; may come before its offer.

    Attributes:
        session: The speaker.
        sid: The subscription it belongs to.
        candidate: The candidate attribute of SDP, `candidate:...`.
        mid: The media section by name.
        index: The media section by number.
    """

    session: SessionId
    sid: str
    candidate: str
    mid: str | None
    index: int | None


@dataclass(frozen=True, slots=True)
class SubscriptionRefused:
    """A speaker's audio was not to be had; it is asked for again later."""

    session: SessionId
    code: str


SignalingEvent: TypeAlias = (
    Entered
    | Switched
    | Resumed
    | ParticipantsJoined
    | ParticipantsLeft
    | CallChanged
    | CallEnded
    | RoomClosed
    | Offered
    | CandidateFound
    | SubscriptionRefused
)
