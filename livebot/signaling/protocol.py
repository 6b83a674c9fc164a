"""The signaling conversation of one room, without a socket.

Rule 1: every change of state happens in `_go()`, and only along `LEGAL`.
Rule 2: this file knows no clock, no task and no WebSocket. Whoever drives it says what
time it is, passes text in, and empties `outgoing`.
Rule 3: whatever arrives, nothing but `SignalingError` leaves; and a message that only
makes no sense is skipped (`skipped` counts), because any participant can send us some.

One object lives as long as the room, over any number of sockets:

    connected → receive / tick / commands → disconnected → connected → ...
"""

from collections.abc import Callable
from dataclasses import replace

from livebot.errors import SignalingError
from livebot.ids import RoomToken, SessionId
from livebot.signaling import messages, refusals, translate
from livebot.signaling.events import (
    Entered,
    Offered,
    Resumed,
    RoomClosed,
    SignalingEvent,
    SubscriptionRefused,
    Switched,
)
from livebot.signaling.login import Login
from livebot.signaling.outgoing import Outgoing
from livebot.signaling.state import LEGAL, State
from livebot.signaling.subscriptions import Subscriptions

HELLO_TIMEOUT_S = 10.0
JOIN_TIMEOUT_S = 10.0
BYE_TIMEOUT_S = 2.0
_GREETING = (State.RESUMING, State.HELLO_SENT)


class Protocol:
    """One room's conversation.

    Args:
        room: The room to join.
        secret: `internalsecret` of the signaling server.
        backend: The base URL of the Nextcloud that the room belongs to.
        chance: Returns a random number in [0, 1); spreads what is tried again.

    Attributes:
        state: How far the conversation has come.
        login: Who we are on the server.
        subscriptions: Whose audio is wanted and had.
        outgoing: What is to be put on the socket.
        skipped: Messages that made no sense.
    """

    def __init__(
        self,
        *,
        room: RoomToken,
        secret: str,
        backend: str,
        chance: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.state = State.DISCONNECTED
        self.skipped = 0
        self._room = room
        self.login = Login(secret=secret, backend=backend)
        self._was_in_room = False
        self.subscriptions = Subscriptions(chance)
        self.outgoing = Outgoing()
        self._request = ""  # the hello or join whose answer decides what is next
        self._nonce = ""
        self._deadline: float | None = None

    # The socket's side.

    def connected(self, *, nonce: str, now: float) -> None:
        """Begin on a new socket: resume the session while the server still has it.

        Args:
            nonce: A fresh random string of at least 32 bytes.
            now: Seconds on any steady clock, as everywhere in this class.
        """
        self._nonce = nonce
        if self.login.can_resume(now):
            self._go(State.RESUMING, now + HELLO_TIMEOUT_S)
            self._request = self.outgoing.next_id()
            self.outgoing.put(self.login.resume(self._request))
        else:
            self._hello(now)

    def disconnected(self, now: float, close_code: int | None = None) -> None:
        """The socket is gone, closed with this code, and what was to be sent on it."""
        self.outgoing.clear(close_code)
        self._deadline = None
        if self.state in (State.LEAVING, State.PUT_OUT):
            self._go(State.CLOSED)
        elif self.state not in (State.DISCONNECTED, State.CLOSED):
            if self.state is State.IN_ROOM:
                self.login.lost(now)
            elif self.state is not State.RESUMING:
                # A session that was never in the room is not worth resuming; for one that
                # was, the server counts from when it lost its first socket.
                self.login.give_up()
            self._go(State.DISCONNECTED)

    def receive(self, text: str, now: float) -> list[SignalingEvent]:
        """Take in one message; return what it means for the room.

        Raises:
            SignalingRefusedError: The server does not want us; do not connect again.
            SignalingError: The conversation is over; connect again.
        """
        try:
            message = messages.decode(text)
        except messages.MalformedError:
            self.skipped += 1
            return []
        if self.state in (State.DISCONNECTED, State.CLOSED):
            self.skipped += 1
            return []
        return self._dispatch(message, now)

    def tick(self, now: float) -> list[SignalingEvent]:
        """Do what is due at this time.

        Raises:
            SignalingError: The server did not answer in time; connect again.
        """
        if self._deadline is not None and now >= self._deadline:
            raise SignalingError(f"no answer to {self.state.name.lower()} in time")
        if self.state is not State.IN_ROOM:
            return []
        late = self.subscriptions.expire(now)
        for speaker in self.subscriptions.due(now):
            request = self.outgoing.next_id()
            self.outgoing.put(messages.request_offer(request, speaker))
            self.subscriptions.asked(speaker, request, now)
        return [SubscriptionRefused(speaker, "no_answer") for speaker in late]

    @property
    def session(self) -> SessionId | None:
        """Who we are, or were last."""
        return self.login.own

    @property
    def next_deadline(self) -> float | None:
        """When `tick()` is due next."""
        if self._deadline is not None:
            return self._deadline
        return self.subscriptions.next_deadline if self.state is State.IN_ROOM else None

    def text_to_send(self) -> list[str]:
        """Return the messages to put on the socket, in order, and forget them."""
        return self.outgoing.take()

    # The room's side: commands. They do nothing while we are not in the room, because
    # on entering it anew the room starts from scratch, and says so.

    def subscribe(self, speaker: SessionId, now: float) -> None:
        """Ask for a speaker's audio until it comes; our own is never asked for."""
        if speaker != self.session:
            self.subscriptions.want(speaker, now)

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Answer a speaker's offer."""
        if self.state is State.IN_ROOM:
            request = self.outgoing.next_id()
            self.subscriptions.answered(speaker, request)
            self.outgoing.put(messages.answer(request, speaker, sid=sid, sdp=sdp))

    def send_caption(self, reader: SessionId, caption: messages.Transcript) -> None:
        """Send a caption to one reader, who must be in this room: the server does not check."""
        if self.state is State.IN_ROOM:
            self.outgoing.put(messages.transcript(self.outgoing.next_id(), reader, caption))

    def leave(self, now: float) -> None:
        """Say bye; the session cannot be resumed after it."""
        self.login.give_up()
        self.subscriptions.clear()
        if self.state is State.DISCONNECTED:
            self._go(State.CLOSED)
        elif self.state not in (State.LEAVING, State.CLOSED):
            self._go(State.LEAVING, now + BYE_TIMEOUT_S)
            self.outgoing.put(messages.bye(self.outgoing.next_id()))

    # Inside.

    def _go(self, state: State, deadline: float | None = None) -> None:
        if state not in LEGAL[self.state]:
            raise SignalingError(f"{self.state.name} cannot become {state.name}")
        self.state = state
        self._deadline = deadline

    def _hello(self, now: float) -> None:
        self._go(State.HELLO_SENT, now + HELLO_TIMEOUT_S)
        self._request = self.outgoing.next_id()
        self.outgoing.put(self.login.hello(self._request, self._nonce))

    def _dispatch(self, message: messages.Incoming, now: float) -> list[SignalingEvent]:
        match message:
            case messages.Incoming(hello=messages.HelloReply() as hello) if (
                self.state in _GREETING
            ):
                return self._on_hello(hello, now)
            case messages.Incoming(type="room", room=messages.RoomReply() as room):
                return self._on_room(room)
            case messages.Incoming(type="error", error=messages.ErrorReply() as error):
                return self._on_error(message.id, error, now)
            case messages.Incoming(type="bye") if self.state is State.LEAVING:
                self._go(State.CLOSED)
            case messages.Incoming(type="bye"):
                self.login.give_up()
                raise refusals.of_bye(message.bye.reason if message.bye else "")
            case messages.Incoming(type="event", event=messages.Event() as event):
                return self._on_event(event, now)
            case messages.Incoming(type="message", message=messages.Message() as media):
                return self._on_message(media)
            case messages.Incoming(type="welcome"):
                pass
            case _:
                self.skipped += 1
        return []

    def _on_hello(self, hello: messages.HelloReply, now: float) -> list[SignalingEvent]:
        self.login.accepted(hello)
        if self.state is State.RESUMING:
            self._go(State.IN_ROOM)
            return [Resumed()]
        self._join(now)
        return []

    def _join(self, now: float) -> None:
        """Announce ourselves and ask for the room; nothing that was known is true there."""
        self._go(State.JOINING, now + JOIN_TIMEOUT_S)
        self.subscriptions.clear()
        self.outgoing.put(messages.in_call(self.outgoing.next_id()))
        self._request = self.outgoing.next_id()
        self.outgoing.put(messages.room(self._request, self._room))

    def _on_room(self, room: messages.RoomReply) -> list[SignalingEvent]:
        if self.state is State.JOINING and room.roomid == self._room:
            return self._enter()
        if self.state is State.IN_ROOM and not room.roomid:
            self._go(State.PUT_OUT)
            return [RoomClosed("the room was closed")]
        return []

    def _enter(self) -> list[SignalingEvent]:
        if self.session is None:
            raise SignalingError("in a room without a session")
        self._go(State.IN_ROOM)
        is_return, self._was_in_room = self._was_in_room, True
        return [Entered(self.session, is_return)]

    def _on_event(self, event: messages.Event, now: float) -> list[SignalingEvent]:
        if self.state not in (State.JOINING, State.IN_ROOM):
            return []
        events = translate.room_events(event, self._room)
        match events:
            case [Switched(room=room)]:
                self._room, self._was_in_room = room, False
                self._join(now)
            case [RoomClosed()]:
                self._go(State.PUT_OUT)
            case _:  # On the way to another room it is of the one that we leave.
                return events if self.state is State.IN_ROOM else []
        return events

    def _on_error(self, to: str, error: messages.ErrorReply, now: float) -> list[SignalingEvent]:
        match self.state:
            case State.RESUMING if to == self._request:
                # Never twice; and where too many have failed, hellos are counted apart.
                self._hello(now)
                return []
            case State.HELLO_SENT if to == self._request:
                raise refusals.of_hello(error)
            case State.JOINING if to == self._request:
                if error.code == "already_joined":
                    return self._enter()
                raise refusals.of_join(error)
            case State.IN_ROOM:
                speaker = self.subscriptions.refused(to, now)
                return [SubscriptionRefused(speaker, error.code)] if speaker else []
            case _:
                return []  # Servers before 1.1 do not know the in-call message, for one.

    def _on_message(self, message: messages.Message) -> list[SignalingEvent]:
        speaker = SessionId(message.sender.sessionid)
        if speaker not in self.subscriptions.wanted:
            return []
        try:
            event = translate.media_event(speaker, messages.decode_media(message.data))
        except messages.MalformedError:
            self.skipped += 1
            return []
        if isinstance(event, Offered):
            event = replace(event, asked_at=self.subscriptions.offered(speaker))
        return [event] if event else []
