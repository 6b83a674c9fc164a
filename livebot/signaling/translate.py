"""From the wire's types to the room's events."""

from livebot.ids import (
    NO_TALK_SESSION,
    RoomToken,
    SessionId,
    TalkSessionId,
    is_room_token,
    is_session,
    is_talk_session,
)
from livebot.signaling import messages
from livebot.signaling.events import (
    CallChanged,
    CallEnded,
    CallState,
    CandidateFound,
    Offered,
    Participant,
    ParticipantsJoined,
    ParticipantsLeft,
    RoomClosed,
    SignalingEvent,
    Switched,
)

MOST_NAME = 256
"""Characters of an account's or a person's name that are kept; Nextcloud's have 64."""


def room_events(event: messages.Event, room: RoomToken) -> list[SignalingEvent]:
    """Say what an event means for the room we are in; nothing for those we do not use."""
    match event:
        case messages.Event(target="room", type="join", join=list() as joined):
            people = tuple(_participant(entry) for entry in joined if is_session(entry.sessionid))
            return [ParticipantsJoined(people)]
        case messages.Event(target="room", type="leave", leave=list() as left):
            return [ParticipantsLeft(tuple(SessionId(session) for session in left))]
        case messages.Event(
            target="participants", type="update", update=messages.Update() as update
        ):
            return _call_events(update)
        case _:
            return _way_out(event, room)


def _way_out(event: messages.Event, room: RoomToken) -> list[SignalingEvent]:
    """Say why the room is no longer the one to be in."""
    match event:
        case messages.Event(target="room", type="delete"):
            return [RoomClosed("the room was deleted")]
        case messages.Event(
            target="roomlist", type="disinvite", disinvite=messages.RoomRef(roomid=left)
        ):
            return [RoomClosed("the bot was put out of the room")] if left == room else []
        case messages.Event(
            target="room", type="switchto", switchto=messages.RoomRef(roomid=other)
        ):
            is_other = is_room_token(other) and other != room
            return [Switched(RoomToken(other))] if is_other else []
        case _:
            return []


def media_event(speaker: SessionId, data: messages.MediaData) -> Offered | CandidateFound | None:
    """Say what a message of the media server, in a speaker's name, means."""
    # Screen shares push their offers unasked.
    if data.room_type not in ("video", ""):
        return None
    sid = str(data.sid)
    match data:
        case messages.MediaData(type="offer", payload=messages.Payload(sdp=str() as sdp)):
            return Offered(speaker, sid, sdp)
        case messages.MediaData(
            type="candidate", payload=messages.Payload(candidate=messages.Candidate() as found)
        ):
            return CandidateFound(speaker, sid, found.candidate, found.mid, found.index)
        case _:
            return None


def _participant(entry: messages.JoinEntry) -> Participant:
    user = entry.user or {}
    name = user.get("displayname")
    return Participant(
        session=SessionId(entry.sessionid),
        user_id=(entry.userid or "")[:MOST_NAME],
        name=name[:MOST_NAME] if isinstance(name, str) else "",
        talk=_talk_session(entry.roomsessionid or ""),
    )


def _talk_session(text: str) -> TalkSessionId:
    """Return Talk's id of a session; none where it cannot be one."""
    return TalkSessionId(text) if is_talk_session(text) else NO_TALK_SESSION


def _call_events(update: messages.Update) -> list[SignalingEvent]:
    if update.all and not update.incall:
        return [CallEnded()]
    states = tuple(
        CallState(
            session=SessionId(user.session_id),
            flags=int(user.in_call or 0),
            internal=user.internal,
            user_id=(user.user_id or "")[:MOST_NAME],
            talk=_talk_session(user.nextcloud_session_id or ""),
        )
        for user in update.users or ()
        if is_session(user.session_id)
    )
    return [CallChanged(states)] if states else []
