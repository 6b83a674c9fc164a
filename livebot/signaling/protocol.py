"""The signaling conversation of one room, without a socket.

Rule 1: every change of state happens in `_go()`, and only along `LEGAL`.
Rule 2: this file knows no clock, no task and no WebSocket. Whoever drives it says what
time it is, passes text in, and empties `text_to_send()`.
Rule 3: whatever arrives, nothing but `SignalingError` leaves; and a message that only
makes no sense is skipped (`skipped` counts), because any participant can send us some.

One object lives as long as the room, over any number of sockets:

    connected → receive / tick / commands → disconnected → connected → ...
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.signaling import messages, translate
from livebot.signaling.auth import hello_token
from livebot.signaling.events import (
    Entered,
    Offered,
    Resumed,
    RoomClosed,
    SignalingEvent,
    SubscriptionRefused,
)
from livebot.signaling.subscriptions import Subscriptions

HELLO_TIMEOUT_S = 10.0
JOIN_TIMEOUT_S = 10.0
BYE_TIMEOUT_S = 2.0
RESUME_WINDOW_S = 30.0
"""How long the server keeps a session whose socket is gone."""

_FATAL_HELLO = frozenset({"invalid_token", "invalid_client_type", "invalid_backend"})
"""Trying again cannot help, and the server locks out an address that fails ten times."""

_MOST_WORDS = 200
"""Characters of the server's own words that are shown."""


class State(Enum):
    """How far the conversation has come."""

    DISCONNECTED = auto()
    RESUMING = auto()
    HELLO_SENT = auto()
    JOINING = auto()
    IN_ROOM = auto()
    LEAVING = auto()
    CLOSED = auto()


LEGAL: Mapping[State, frozenset[State]] = {
    State.DISCONNECTED: frozenset({State.RESUMING, State.HELLO_SENT, State.CLOSED}),
    State.RESUMING: frozenset(
        {State.IN_ROOM, State.HELLO_SENT, State.DISCONNECTED, State.LEAVING, State.CLOSED}
    ),
    State.HELLO_SENT: frozenset({State.JOINING, State.DISCONNECTED, State.LEAVING, State.CLOSED}),
    State.JOINING: frozenset({State.IN_ROOM, State.DISCONNECTED, State.LEAVING, State.CLOSED}),
    State.IN_ROOM: frozenset({State.DISCONNECTED, State.LEAVING, State.CLOSED}),
    State.LEAVING: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}


class Protocol:
    """One room's conversation.

    Args:
        room: The room to join.
        secret: `internalsecret` of the signaling server.
        backend: The base URL of the Nextcloud that the room belongs to.
    """

    def __init__(self, *, room: RoomToken, secret: str, backend: str) -> None:
        self.state = State.DISCONNECTED
        self.session: SessionId | None = None
        self.server_version = ""
        self.skipped = 0
        self._room = room
        self._secret = secret
        self._backend = backend
        self._subscriptions = Subscriptions()
        self._outgoing: list[str] = []
        self._last_id = 0
        self._resume_id = ""
        self._lost_at = 0.0
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
        if self._resume_id and now - self._lost_at <= RESUME_WINDOW_S:
            self._go(State.RESUMING)
            self._send(messages.resume(self._next_id(), self._resume_id))
            self._deadline = now + HELLO_TIMEOUT_S
        else:
            self._hello(now)

    def disconnected(self, now: float) -> None:
        """The socket is gone, and what was to be sent on it."""
        self._outgoing.clear()
        self._deadline = None
        match self.state:
            case State.DISCONNECTED | State.CLOSED:
                return
            case State.LEAVING:
                self._go(State.CLOSED)
                return
            case State.IN_ROOM:
                self._lost_at = now
            case State.HELLO_SENT | State.JOINING:
                # A session that was never in the room is not worth resuming.
                self._resume_id = ""
            case State.RESUMING:
                pass  # The server counts from when the session lost its first socket.
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
        if self.state is State.LEAVING:
            if message.type == "bye":
                self._go(State.CLOSED)
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
        late = self._subscriptions.expire(now)
        for speaker in self._subscriptions.due(now):
            request = self._next_id()
            self._send(messages.request_offer(request, speaker))
            self._subscriptions.asked(speaker, request, now)
        return [SubscriptionRefused(speaker, "no_answer") for speaker in late]

    @property
    def next_deadline(self) -> float | None:
        """When `tick()` is due next."""
        if self._deadline is not None:
            return self._deadline
        return self._subscriptions.next_deadline if self.state is State.IN_ROOM else None

    @property
    def is_closed(self) -> bool:
        """Whether we have left for good."""
        return self.state is State.CLOSED

    @property
    def has_text(self) -> bool:
        """Whether something waits to be put on the socket."""
        return bool(self._outgoing)

    def text_to_send(self) -> list[str]:
        """Return the messages to put on the socket, in order, and forget them."""
        texts, self._outgoing = self._outgoing, []
        return texts

    # The room's side: commands. They do nothing while we are not in the room, because
    # on entering it anew the room starts from scratch, and says so.

    def subscribe(self, speaker: SessionId, now: float) -> None:
        """Ask for a speaker's audio until it comes; our own is never asked for."""
        if speaker != self.session:
            self._subscriptions.want(speaker, now)

    def unsubscribe(self, speaker: SessionId) -> None:
        """Want a speaker's audio no more; the protocol has no message for it."""
        self._subscriptions.forget(speaker)

    def subscription_lost(self, speaker: SessionId, now: float) -> None:
        """A speaker's peer connection ended: ask again."""
        self._subscriptions.lost(speaker, now)

    def subscription_steady(self, speaker: SessionId) -> None:
        """A speaker's audio arrives."""
        self._subscriptions.steady(speaker)

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Answer a speaker's offer."""
        if self.state is State.IN_ROOM:
            self._send(messages.answer(self._next_id(), speaker, sid=sid, sdp=sdp))

    def send_caption(self, reader: SessionId, caption: messages.Transcript) -> None:
        """Send a caption to one reader, who must be in this room: the server does not check."""
        if self.state is State.IN_ROOM:
            self._send(messages.transcript(self._next_id(), reader, caption))

    def leave(self, now: float) -> None:
        """Say bye; the session cannot be resumed after it."""
        self._resume_id = ""
        if self.state is State.DISCONNECTED:
            self._go(State.CLOSED)
        elif self.state not in (State.LEAVING, State.CLOSED):
            self._go(State.LEAVING)
            self._send(messages.bye(self._next_id()))
            self._deadline = now + BYE_TIMEOUT_S

    # Inside.

    def _go(self, state: State) -> None:
        if state not in LEGAL[self.state]:
            raise SignalingError(f"{self.state.name} cannot become {state.name}")
        self.state = state
        self._deadline = None

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    def _send(self, text: str) -> None:
        self._outgoing.append(text)

    def _hello(self, now: float) -> None:
        self._go(State.HELLO_SENT)
        token = hello_token(self._secret, self._nonce)
        text = messages.hello(
            self._next_id(), nonce=self._nonce, token=token, backend=self._backend
        )
        self._send(text)
        self._resume_id = ""
        self._deadline = now + HELLO_TIMEOUT_S

    def _dispatch(self, message: messages.Incoming, now: float) -> list[SignalingEvent]:
        match message:
            case messages.Incoming(type="hello", hello=messages.HelloReply() as hello):
                return self._on_hello(hello, now)
            case messages.Incoming(type="room", room=messages.RoomReply() as room):
                return self._on_room(room)
            case messages.Incoming(type="error", error=messages.ErrorReply() as error):
                return self._on_error(message.id, error, now)
            case messages.Incoming(type="bye"):
                reason = message.bye.reason if message.bye else ""
                raise self._farewell(reason)
            case messages.Incoming(type="event", event=messages.Event() as event):
                return translate.room_events(event)
            case messages.Incoming(type="message", message=messages.Message() as media):
                return self._on_message(media)
            case _:
                if message.type != "welcome":
                    self.skipped += 1
                return []

    def _farewell(self, reason: str) -> SignalingError:
        self._resume_id = ""
        if reason == "session_resumed":
            return SignalingRefusedError(reason, "the session lives on elsewhere")
        return SignalingError(f"the server said bye: {_words(reason) or 'no reason'}")

    def _on_hello(self, hello: messages.HelloReply, now: float) -> list[SignalingEvent]:
        if self.state not in (State.RESUMING, State.HELLO_SENT):
            self.skipped += 1
            return []
        server = hello.server or messages.Welcome()
        if server.features and "mcu" not in server.features:
            raise SignalingRefusedError("no_mcu", "the signaling server has no media server")
        self._resume_id = hello.resumeid
        self.server_version = _words(server.version)
        if self.state is State.RESUMING:
            self._go(State.IN_ROOM)
            return [Resumed()]
        self.session = SessionId(hello.sessionid)
        self._subscriptions.clear()
        self._go(State.JOINING)
        self._send(messages.in_call(self._next_id()))
        self._send(messages.room(self._next_id(), self._room))
        self._deadline = now + JOIN_TIMEOUT_S
        return []

    def _on_room(self, room: messages.RoomReply) -> list[SignalingEvent]:
        if self.state is State.JOINING and room.roomid == self._room:
            return self._enter()
        if self.state is State.IN_ROOM and not room.roomid:
            return [RoomClosed("the room was closed")]
        return []

    def _enter(self) -> list[SignalingEvent]:
        if self.session is None:
            raise SignalingError("in a room without a session")
        self._go(State.IN_ROOM)
        return [Entered(self.session)]

    def _on_error(
        self, request: str, error: messages.ErrorReply, now: float
    ) -> list[SignalingEvent]:
        if self.state in (State.RESUMING, State.HELLO_SENT):
            return self._on_hello_error(error, now)
        if self.state is State.JOINING:
            if error.code == "already_joined":
                return self._enter()
            # Servers before 1.1 do not know the in-call message; the room still comes.
            if error.code == "invalid_format":
                return []
            raise SignalingRefusedError(_words(error.code), _words(error.message))
        speaker = self._subscriptions.refused(request, now)
        return [SubscriptionRefused(speaker, error.code)] if speaker else []

    def _on_hello_error(self, error: messages.ErrorReply, now: float) -> list[SignalingEvent]:
        if self.state is State.RESUMING and error.code != "too_many_requests":
            self._hello(now)
            return []
        if error.code in _FATAL_HELLO:
            raise SignalingRefusedError(error.code, _words(error.message))
        raise SignalingError(f"hello failed: {_words(error.code)}")

    def _on_message(self, message: messages.Message) -> list[SignalingEvent]:
        speaker = SessionId(message.sender.sessionid)
        if not self._subscriptions.is_wanted(speaker):
            return []
        try:
            event = translate.media_event(speaker, messages.decode_media(message.data))
        except messages.MalformedError:
            self.skipped += 1
            return []
        if isinstance(event, Offered):
            event = replace(event, asked_at=self._subscriptions.offered(speaker))
        return [event] if event else []


def _words(text: str) -> str:
    """Return what the server says, fit for a line of the log: short and printable."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_WORDS])
