"""The embedded signaling server without sockets and media.

Rule 1: this file knows no clock, no task and no WebSocket. Whoever drives it says what
time it is, passes text in, and empties `texts_to_send()` and `commands_to_do()`.
Rule 2: whatever a client sends, nothing leaves but an error text to that client.

It behaves like version 2.1.1 of the real server as far as the bot and ordinary
participants use it. Three things differ, because there is no Nextcloud here: participants
need no ticket, say with the message of internal clients that they are in the call, and with
one of the demo's own whether they want captions.
"""

from collections.abc import Callable

from livebot.demo import wire
from livebot.demo.exchange import Command, Exchange
from livebot.demo.sessions import NOWHERE, Link, Session, Sessions, call_list, readers
from livebot.demo.wire import RefusedError
from livebot.ids import RoomToken, SessionId, TalkSessionId
from livebot.signaling import messages


class Hub:
    """All sessions and rooms.

    Args:
        secret: Internal clients must know it.
        new_id: Makes an id that nobody can guess, never the same twice.
    """

    def __init__(self, *, secret: str, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._sessions = Sessions(secret=secret, new_id=new_id)
        self._rooms: dict[RoomToken, list[Session]] = {}
        self._exchange = Exchange(new_id)
        self._outgoing: list[tuple[Link, str | None]] = []

    # The sockets' side.

    def connected(self, link: Link, now: float) -> None:
        """Greet a new connection."""
        self._sessions.connected(link, now)
        self._outgoing.append((link, wire.welcome()))

    def disconnected(self, link: Link, now: float) -> None:
        """A connection is gone; its session may be resumed for a while."""
        self._sessions.disconnected(link, now)

    def receive(self, link: Link, text: str, now: float) -> None:
        """Take in one message of a client."""
        request = ""
        try:
            message = wire.decode(text)
            request = message.id
            self._dispatch(link, message, now)
        except messages.MalformedError:
            self._outgoing.append((link, wire.error(request, "invalid_format", "Invalid data.")))
        except RefusedError as refused:
            self._outgoing.append((link, wire.error(request, refused.code, str(refused))))

    def tick(self, now: float) -> None:
        """Do what is due at this time."""
        for link in self._sessions.silent_links(now):
            self._close(link, "hello_timeout")
        for session in self._sessions.expired(now):
            self._end(session)
        for reader, request in self._exchange.expire(now):
            self._fail(reader, request, "client_not_found", "Nobody publishes there.")

    @property
    def next_deadline(self) -> float | None:
        """When `tick()` is due next."""
        due = [*self._sessions.deadlines(), self._exchange.next_deadline]
        return min((each for each in due if each is not None), default=None)

    def texts_to_send(self) -> list[tuple[Link, str | None]]:
        """Return what to put on which connection, in order; None closes it."""
        texts, self._outgoing = self._outgoing, []
        return texts

    # Nextcloud's side.

    def readers(self, token: RoomToken) -> frozenset[TalkSessionId]:
        """Return who wants captions in a room's call."""
        return readers(self._rooms.get(token, ()))

    def captions_failed(self, token: RoomToken, reader: TalkSessionId, why: str) -> None:
        """Tell a reader that captions could not be switched on or off."""
        for member in self._rooms.get(token, ()):
            if member.nextcloud_id == reader:
                self._send(member, wire.error("", "captions_failed", why))

    # The media's side.

    def commands_to_do(self) -> list[Command]:
        """Return what the SFU has to do, in order."""
        return self._exchange.commands_to_do()

    def published(self, speaker: SessionId, sid: str, sdp: str) -> None:
        """The SFU takes a speaker's audio in, and `sdp` is its answer."""
        session = self._sessions.get(speaker)
        if session is not None and self._exchange.published(speaker, sid):
            user = session.user_id
            answer = wire.media(speaker, speaker, kind="answer", sid=sid, sdp=sdp, user_id=user)
            self._send(session, answer)

    def offered(self, reader: SessionId, speaker: SessionId, sid: str, sdp: str) -> None:
        """The SFU offers a speaker's audio to a reader."""
        session = self._sessions.get(reader)
        if session is not None and self._exchange.is_offered(reader, speaker, sid):
            self._send(session, wire.media(speaker, reader, kind="offer", sid=sid, sdp=sdp))

    def media_failed(self, session: SessionId, request: str) -> None:
        """The SFU could not do what a session asked for."""
        self._fail(session, request, "processing_failed", "The media server failed.")

    def publication_lost(self, speaker: SessionId) -> None:
        """A speaker's connection to the SFU died."""
        self._exchange.unpublish(speaker)

    def subscription_lost(self, sid: str) -> None:
        """A reader's connection to the SFU died."""
        self._exchange.lost(sid)

    # Requests.

    def _dispatch(self, link: Link, request: wire.Request, now: float) -> None:
        session = self._sessions.on(link)
        if session is None:
            self._hello(link, request, now)
            return
        match request:
            case wire.Request(type="room", room=wire.Room() as room):
                self._join(session, room, request.id)
            case wire.Request(type="internal", internal=wire.Internal(incall=wire.InCall() as to)):
                self._set_in_call(session, to.incall)
            case wire.Request(type="captions", captions=wire.Captions() as wish):
                session.wants_captions = wish.enable
            case wire.Request(type="message", message=wire.Message() as message):
                self._message(session, message, request.id, now)
            case wire.Request(type="bye"):
                self._send(session, wire.bye(request.id))
                self._outgoing.append((link, None))
                self._end(session)
            case wire.Request(type="hello" | "room" | "internal" | "captions" | "message"):
                raise RefusedError("invalid_format", "Invalid data.")
            case _:
                pass  # The real server is silent, too.

    def _hello(self, link: Link, request: wire.Request, now: float) -> None:
        if request.type != "hello" or request.hello is None:
            raise RefusedError("hello_expected", "Expected Hello request.")
        session, before = self._sessions.hello(link, request.hello, now)
        if before is not None:
            self._close(before, "session_resumed")
        reply = wire.hello(
            request.id,
            session=session.id,
            resume_id=session.resume_id,
            user_id=session.user_id,
            version=request.hello.version,
        )
        waiting, session.waiting = session.waiting, []
        for text in (reply, *waiting):
            self._send(session, text)

    def _join(self, session: Session, room: wire.Room, request: str) -> None:
        token = RoomToken(room.roomid)
        if token and token == session.room:
            raise RefusedError("already_joined", "Already joined this room.")
        self._leave_room(session)
        self._send(session, wire.room(request, token))
        if not token:
            return
        session.room = token
        if not session.internal:
            session.nextcloud_id = TalkSessionId(room.sessionid or self._new_id())
        members = self._rooms.setdefault(token, [])
        for other in members:
            self._send(other, wire.joined([session.join_entry()]))
        members.append(session)
        self._send(session, wire.joined([member.join_entry() for member in members]))
        if session.in_call or session.internal:
            self._tell_call(token)
        elif users := call_list(members):
            self._send(session, wire.participants(token, users))

    def _leave_room(self, session: Session) -> None:
        token, session.room = session.room, NOWHERE
        if not token:
            return
        self._exchange.leave(session.id)
        others = self._rooms[token]
        others.remove(session)
        if not others:
            del self._rooms[token]
        if not session.internal:
            session.in_call = 0
        told = others if session.internal else [*others, session]
        users = call_list(told, session)
        for other in others:
            self._send(other, wire.left([session.id]))
            self._send(other, wire.participants(token, users))

    def _set_in_call(self, session: Session, flags: int) -> None:
        if flags == session.in_call:
            return
        session.in_call = flags
        if not session.is_in_call:
            self._exchange.leave(session.id)
        if session.room:
            self._tell_call(session.room, session)

    def _tell_call(self, token: RoomToken, changed: Session | None = None) -> None:
        members = self._rooms[token]
        text = wire.participants(token, call_list(members, changed))
        for member in members:
            self._send(member, text)

    def _message(self, session: Session, message: wire.Message, request: str, now: float) -> None:
        to = message.recipient
        match to.type:
            case "session":
                if self._media_request(session, message, request, now):
                    return
                other = self._sessions.get(to.sessionid)
                recipients = [other] if other is not None else []
            case "room" | "call":
                members = self._rooms.get(session.room, [])
                recipients = [m for m in members if to.type == "room" or m.is_in_call]
            case _:
                raise RefusedError("invalid_format", "Unknown recipient.")
        text = wire.message(session.id, session.user_id, to.type, message.data)
        for each in recipients:
            if each is not session:
                self._send(each, text)

    def _media_request(
        self, session: Session, message: wire.Message, request: str, now: float
    ) -> bool:
        """Handle what is for the media server; return False for an ordinary message."""
        other = SessionId(message.recipient.sessionid)
        try:
            data = messages.decode_media(message.data)
        except messages.MalformedError:
            return False
        sid = str(data.sid)
        match data:
            case messages.MediaData(type="requestoffer"):
                self._check_may_listen(session, other)
                self._exchange.request_offer(session.id, other, sid=sid, request=request, now=now)
            case messages.MediaData(type="offer", payload=messages.Payload(sdp=str() as sdp)):
                if other != session.id or not session.room:
                    raise RefusedError("not_allowed", "Not allowed to publish.")
                self._exchange.publish(session.id, sid, sdp, request)
            case messages.MediaData(type="answer", payload=messages.Payload(sdp=str() as sdp)):
                self._exchange.answer(session.id, other, sid=sid, sdp=sdp, request=request)
            case messages.MediaData(
                type="candidate",
                payload=messages.Payload(candidate=messages.Candidate() as found),
            ):
                self._exchange.candidate(
                    session.id,
                    other,
                    sid=sid,
                    candidate=found.candidate,
                    mid=found.mid,
                    index=found.index,
                )
            case _:
                return False
        return True

    def _check_may_listen(self, session: Session, speaker: SessionId) -> None:
        other = self._sessions.get(speaker)
        together = other is not None and other.room == session.room and other.is_in_call
        if not session.internal and not (together and session.is_in_call):
            raise RefusedError("not_allowed", "Not in the same room and call.")

    # Inside.

    def _send(self, session: Session, text: str) -> None:
        if session.link is None:
            session.keep(text)
        else:
            self._outgoing.append((session.link, text))

    def _fail(self, session: SessionId, request: str, code: str, message: str) -> None:
        found = self._sessions.get(session)
        if found is not None:
            self._send(found, wire.error(request, code, message))

    def _close(self, link: Link, reason: str) -> None:
        self._outgoing += [(link, wire.bye(reason=reason)), (link, None)]

    def _end(self, session: Session) -> None:
        self._leave_room(session)
        self._exchange.leave(session.id)
        self._sessions.end(session)
