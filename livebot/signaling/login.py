"""Who we are on the signaling server: proved by hello, kept over a lost socket by resume."""

from livebot.errors import SignalingRefusedError
from livebot.ids import SessionId
from livebot.signaling import messages
from livebot.signaling.auth import hello_token
from livebot.signaling.refusals import words

RESUME_WINDOW_S = 30.0
"""How long the server keeps a session whose socket is gone."""


class Login:
    """Our session of the moment, and how to get one.

    Args:
        secret: `internalsecret` of the signaling server.
        backend: The base URL of the Nextcloud that the room belongs to.

    Attributes:
        own: The public id of the newest session; None before the first.
        server_version: Of the server that gave it.
    """

    def __init__(self, *, secret: str, backend: str) -> None:
        self.own: SessionId | None = None
        self.server_version = ""
        self._secret = secret
        self._backend = backend
        self._resume_id = ""
        self._lost_at = 0.0

    def hello(self, ident: str, nonce: str) -> str:
        """Write the hello for a new session; the old one is given up."""
        self.give_up()
        token = hello_token(self._secret, nonce)
        return messages.hello(ident, nonce=nonce, token=token, backend=self._backend)

    def resume(self, ident: str) -> str:
        """Write the hello that takes the session up again."""
        return messages.resume(ident, self._resume_id)

    def can_resume(self, now: float) -> bool:
        """Say whether the server may still have the session, whose socket is gone."""
        return bool(self._resume_id) and now - self._lost_at <= RESUME_WINDOW_S

    def accepted(self, hello: messages.HelloReply) -> None:
        """Take over what the server says to a hello or a resume.

        Raises:
            SignalingRefusedError: There is no media server, so nobody could be heard.
        """
        server = hello.server or messages.Welcome()
        if server.features and "mcu" not in server.features:
            raise SignalingRefusedError("no_mcu", "the signaling server has no media server")
        self.own = SessionId(hello.sessionid)
        self._resume_id = hello.resumeid or self._resume_id
        self.server_version = words(server.version)

    def lost(self, now: float) -> None:
        """Note that the socket is gone, from when on the server's patience runs."""
        self._lost_at = now

    def give_up(self) -> None:
        """Never resume this one."""
        self._resume_id = ""
