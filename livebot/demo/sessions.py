"""Sessions of the embedded signaling server: hello, resume, expiry, and how they look.

No clock and no socket here: a connection is a number, and time is an argument.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NewType

from livebot.demo.wire import Auth, Hello, RefusedError
from livebot.errors import ConfigError
from livebot.ids import NO_TALK_SESSION, RoomToken, SessionId, TalkSessionId
from livebot.signaling.auth import hello_token

HELLO_WITHIN_S: Final = 2.0
RESUME_WITHIN_S: Final = 30.0
MAX_WAITING: Final = 1000
"""Messages kept for a lost connection; the oldest go first."""

NOWHERE: Final = RoomToken("")

_IN_CALL_WITH_AUDIO = 3
"""What the server assumes of bots that do not announce their part in the call."""

Link = NewType("Link", int)
"""A connection; a session outlives it for a while."""


@dataclass(slots=True, eq=False)
class Session:
    """One client, from hello to bye.

    Attributes:
        id: What the others see.
        resume_id: Known to its owner only.
        name: The display name.
        user_id: The account, where there is one.
        internal: Whether it is a bot.
        link: Its connection; None while it is lost.
        expires: When it ends unless it is resumed.
        waiting: What arrived while the connection was lost.
        room: Where it is; empty when nowhere.
        nextcloud_id: Its session id in Nextcloud.
        in_call: Flags: 1 in the call, 2 with audio, 4 with video.
        wants_captions: Whether it reads, while it is in the call.
    """

    id: SessionId
    resume_id: str
    name: str
    user_id: str
    internal: bool
    in_call: int = 0
    link: Link | None = None
    expires: float | None = None
    waiting: list[str] = field(default_factory=list)
    room: RoomToken = NOWHERE
    nextcloud_id: TalkSessionId = NO_TALK_SESSION
    wants_captions: bool = False

    @property
    def is_in_call(self) -> bool:
        """Whether it takes part in the call."""
        return bool(self.in_call & 1)

    def keep(self, text: str) -> None:
        """Keep a message until the session is resumed."""
        self.waiting.append(text)
        del self.waiting[:-MAX_WAITING]

    def join_entry(self) -> dict[str, Any]:
        """Return what the others learn when it comes into the room."""
        entry: dict[str, Any] = {"sessionid": self.id, "userid": self.user_id}
        if not self.internal:
            entry |= {"user": {"displayname": self.name}, "roomsessionid": self.nextcloud_id}
        return entry

    def call_entry(self) -> dict[str, Any]:
        """Return what the others learn of its part in the call."""
        entry: dict[str, Any] = {"sessionId": self.id, "inCall": self.in_call}
        if self.internal:
            return entry | {"internal": True}
        return entry | {
            "nextcloudSessionId": self.nextcloud_id,
            "participantType": 3,
            "participantPermissions": 254,
            "actorType": "users" if self.user_id else "guests",
            "actorId": self.user_id or self.nextcloud_id,
            "userId": self.user_id,
        }


def call_list(sessions: Iterable[Session], changed: Session | None = None) -> list[dict[str, Any]]:
    """Return who is in the call, bots always, and once who has just changed."""
    return [
        session.call_entry()
        for session in sessions
        if session.in_call or session.internal or session is changed
    ]


def readers(sessions: Iterable[Session]) -> frozenset[TalkSessionId]:
    """Return who wants captions and is in the call, as Nextcloud knows them."""
    return frozenset(
        session.nextcloud_id
        for session in sessions
        if session.wants_captions and session.is_in_call and session.nextcloud_id
    )


class Sessions:
    """All sessions and the connections they are on.

    Args:
        secret: Bots must know it.
        new_id: Makes an id that nobody can guess, never the same twice.
    """

    def __init__(self, *, secret: str, new_id: Callable[[], str]) -> None:
        self._secret = secret
        self._new_id = new_id
        self._by_id: dict[SessionId, Session] = {}
        self._by_link: dict[Link, Session] = {}
        self._hello_until: dict[Link, float] = {}

    def connected(self, link: Link, now: float) -> None:
        """Wait for the hello of a new connection."""
        self._hello_until[link] = now + HELLO_WITHIN_S

    def disconnected(self, link: Link, now: float) -> None:
        """A connection is gone; its session may be resumed for a while."""
        self._hello_until.pop(link, None)
        session = self._by_link.pop(link, None)
        if session is not None:
            session.link, session.expires = None, now + RESUME_WITHIN_S

    def hello(self, link: Link, hello: Hello, now: float) -> tuple[Session, Link | None]:
        """Return the session that begins or goes on here, and the connection it had before.

        Raises:
            RefusedError: The hello is not accepted; another may follow.
        """
        self._hello_until[link] = now + HELLO_WITHIN_S
        session = self._resumed(hello.resumeid) if hello.resumeid else self._new(hello)
        del self._hello_until[link]
        before = session.link
        if before is not None:
            del self._by_link[before]
        session.link, session.expires = link, None
        self._by_link[link] = session
        self._by_id[session.id] = session
        return session, before

    def end(self, session: Session) -> None:
        """Forget a session; it cannot be resumed."""
        self._by_id.pop(session.id, None)
        if session.link is not None:
            self._by_link.pop(session.link, None)

    def on(self, link: Link) -> Session | None:
        """Return the session of a connection, after its hello."""
        return self._by_link.get(link)

    def get(self, session: str) -> Session | None:
        """Return a session by its public id."""
        return self._by_id.get(SessionId(session))

    def silent_links(self, now: float) -> list[Link]:
        """Return the connections whose hello did not come in time, once."""
        late = [link for link, until in self._hello_until.items() if now >= until]
        for link in late:
            del self._hello_until[link]
        return late

    def expired(self, now: float) -> list[Session]:
        """Return the sessions that were not resumed in time."""
        return [s for s in self._by_id.values() if s.expires is not None and now >= s.expires]

    def deadlines(self) -> Iterator[float]:
        """Yield when `silent_links()` and `expired()` are to be asked."""
        yield from self._hello_until.values()
        yield from (s.expires for s in self._by_id.values() if s.expires is not None)

    def _resumed(self, resume_id: str) -> Session:
        for session in self._by_id.values():
            if hmac.compare_digest(session.resume_id.encode(), resume_id.encode()):
                return session
        raise RefusedError("no_such_session", "The session to resume does not exist.")

    def _new(self, hello: Hello) -> Session:
        if hello.auth is None:
            raise RefusedError("invalid_format", "The hello has no auth.")
        who = hello.auth.params
        internal = hello.auth.type == "internal"
        if internal:
            self._check_token(hello.auth)
        announces = "internal-incall" in hello.features
        return Session(
            id=SessionId(self._new_id()),
            resume_id=self._new_id(),
            name=who.displayname or who.userid,
            user_id="" if internal else who.userid,
            internal=internal,
            in_call=_IN_CALL_WITH_AUDIO if internal and not announces else 0,
        )

    def _check_token(self, auth: Auth) -> None:
        try:
            expected = hello_token(self._secret, auth.params.random)
        except ConfigError as exc:
            raise RefusedError("invalid_token", "The passed token is invalid.") from exc
        if not hmac.compare_digest(expected.encode(), auth.params.token.encode()):
            raise RefusedError("invalid_token", "The passed token is invalid.")
