"""An ordinary person's session in a room, as Talk's page holds it; sends no media by itself."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.system.world.hpb import Hpb
from tests.system.world.process import WorldError

IN_CALL, WITH_AUDIO = 1, 2
LISTENING = IN_CALL
SPEAKING = IN_CALL | WITH_AUDIO

_ANSWER_WITHIN_S = 10.0

_MOST_MESSAGES = 1000


@dataclass(frozen=True, slots=True)
class Transcript:
    """One caption as it arrived.

    Attributes:
        at: When, on the clock of `time.monotonic`.
        speaker: The session that spoke, as the bot says.
        sender: The session that sent it.
        history: Whether it was said before its reader came.
    """

    at: float
    speaker: str
    sender: str
    text: str
    final: bool
    language: str
    history: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    """What somebody has seen; may go on from one session to the next.

    Attributes:
        transcripts: Every caption they were sent, in order.
        messages: Everything that sessions sent them, as it came, but media; the newest.
        seen: Who ever was in the room: session to user; bots have no user.
        talk_sessions: What Talk calls the sessions that were ever in the room.
    """

    transcripts: list[Transcript] = field(default_factory=list)
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    seen: dict[str, str] = field(default_factory=dict)
    talk_sessions: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Member:
    """A person in a room: `join()` makes them.

    Attributes:
        session: The public id of their session.
        talk_session: The id that Talk knows it by, and Talk alone: `ncSessionId`.
        log: What they have seen.
        present: Who is in the room: session to user; bots have no user.
        gone: Set once their connection has ended.
        media: Offers, answers and candidates sent to them, until somebody takes them.
    """

    hpb: Hpb
    room: str
    user: str
    session: str = ""
    talk_session: str = field(default_factory=lambda: secrets.token_hex(32))
    log: Log = field(default_factory=Log)
    present: dict[str, str] = field(default_factory=dict)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    media: asyncio.Queue[dict[str, Any]] = field(default_factory=lambda: asyncio.Queue(100))
    _socket: ClientConnection | None = None
    _answers: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def set_in_call(self, flags: int) -> None:
        """Join (with or without audio) or leave (0) the call, through Nextcloud as Talk does."""
        url = f"{self.hpb.nextcloud}/world/rooms/{self.room}/incall"
        asked = {"session": self.talk_session, "user": self.user, "flags": flags}
        async with ClientSession(raise_for_status=True) as http, http.post(url, json=asked):
            pass

    async def end_call(self) -> None:
        """End the call for everyone, as a moderator may."""
        url = f"{self.hpb.nextcloud}/world/rooms/{self.room}/call"
        async with ClientSession(raise_for_status=True) as http, http.delete(url):
            pass

    async def ask(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its answer.

        Raises:
            WorldError: The answer is an error.
        """
        number = str(len(self._answers) + 1)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._send({"id": number, "type": kind, kind: content})
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            got: dict[str, Any] = await answer
        if got["type"] == "error":
            raise WorldError(f"{self.user}: {kind} was answered {got['error'].get('code')}")
        return got

    async def send(self, to: str, data: dict[str, Any]) -> None:
        """Send something to the session *to*, wherever that is."""
        recipient = {"type": "session", "sessionid": to}
        await self._send({"type": "message", "message": {"recipient": recipient, "data": data}})

    async def send_media(self, to: str, data: dict[str, Any]) -> None:
        """Send an offer, answer or candidate to the session *to*."""
        await self.send(to, {**data, "to": to, "roomType": "video"})

    async def until(self, condition: Callable[[], bool], what: str, within_s: float) -> None:
        """Wait until *condition* holds; it is looked at whenever something arrives.

        Raises:
            WorldError: It did not within *within_s*.
        """
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(condition)
        except TimeoutError:
            raise WorldError(f"{self.user} waited {within_s:g} s in vain for {what}") from None

    async def until_quiet(self, quiet_s: float, within_s: float) -> None:
        """Wait until no caption has come for *quiet_s*.

        Raises:
            WorldError: They keep coming.
        """
        end = time.monotonic() + within_s
        since = time.monotonic()
        while (left := since + quiet_s - time.monotonic()) > 0:
            seen = len(self.transcripts)
            if time.monotonic() > end:
                raise WorldError(f"captions still come after {within_s:g} s")
            try:
                async with asyncio.timeout(left), self._news:
                    await self._news.wait_for(partial(self._more_than, seen))
                since = time.monotonic()
            except TimeoutError:
                pass

    @property
    def transcripts(self) -> list[Transcript]:
        """Return every caption they were sent, in order."""
        return self.log.transcripts

    def of(self, speaker: str) -> list[Transcript]:
        """Return the captions of the session *speaker*."""
        return [t for t in self.transcripts if t.speaker == speaker]

    def text_of(self, speaker: str) -> str:
        """Return all that *speaker* said, as a page would show it that appends captions."""
        return " ".join(t.text for t in self.of(speaker))

    def session_of(self, user: str) -> str | None:
        """Return the session of *user* if they are in the room."""
        return next((s for s, name in self.present.items() if name == user), None)

    @property
    def bots(self) -> set[str]:
        """Return the sessions in the room that are no person's."""
        return {session for session, user in self.present.items() if not user}

    def _more_than(self, captions: int) -> bool:
        return len(self.transcripts) > captions

    async def enter(self, socket: ClientConnection) -> None:
        """Say hello and join the room."""
        self._socket = socket
        auth = self._person() if self.user else self._bot()
        hello = await self.ask("hello", {"version": "1.0", "auth": auth})
        self.session = hello["hello"]["sessionid"]
        await self.ask("room", {"roomid": self.room, "sessionid": self.talk_session})

    async def read(self, socket: ClientConnection) -> None:
        """Take in what arrives until the connection ends."""
        try:
            async for text in socket:
                async with self._news:
                    self._take(json.loads(text))
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self.gone.set()

    def _person(self) -> dict[str, Any]:
        params = {"userid": self.user, "ticket": self.hpb.ticket(self.user)}
        return {"url": self.hpb.hello_url, "params": params}

    def _bot(self) -> dict[str, Any]:
        nonce, key = secrets.token_hex(32), self.hpb.internal_secret.encode()
        token = hmac.new(key, nonce.encode(), hashlib.sha256).hexdigest()
        params = {"random": nonce, "token": token, "backend": self.hpb.nextcloud}
        return {"type": "internal", "params": params}

    def _take(self, got: dict[str, Any]) -> None:
        match got:
            case {"id": str(number)} if not self._answers[number].done():
                self._answers[number].set_result(got)
            case {"type": "event", "event": {"target": "room", "type": "join", "join": joined}}:
                self.present |= (new := {j["sessionid"]: j.get("userid", "") for j in joined})
                self.log.seen.update(new)
                known = {j["sessionid"]: j.get("roomsessionid", "") for j in joined}
                self.log.talk_sessions.update(known)
            case {"type": "event", "event": {"target": "room", "type": "leave", "leave": left}}:
                self.present = {s: u for s, u in self.present.items() if s not in left}
            case {"type": "message", "message": {"data": {"roomType": "video"} as data}}:
                self.media.put_nowait(data)
            case {"type": "message" | "control"}:
                self._hear(got)
            case _:
                pass

    def _hear(self, got: dict[str, Any]) -> None:
        """Note what another session sent."""
        self.log.messages.append(got)
        match got:
            case {"message": {"sender": sender, "data": {"type": "transcript"} as data}}:
                self.transcripts.append(_transcript(sender["sessionid"], data))
            case _:
                pass

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(message))


def _transcript(sender: str, data: dict[str, Any]) -> Transcript:
    return Transcript(
        at=time.monotonic(),
        speaker=data["speakerSessionId"],
        sender=sender,
        text=data["message"],
        final=data["final"],
        language=data["langId"],
        history=data.get("history", False),
    )


@asynccontextmanager
async def join(hpb: Hpb, room: str, user: str, log: Log | None = None) -> AsyncIterator[Member]:
    """Let *user* be in *room*, not yet in the call; leaving says bye.

    Without a name it is an internal session, as another bot's is. What they see goes into *log*,
    if there is one.
    """
    member = Member(hpb, room, user, log=log or Log())
    async with connect(hpb.websocket, proxy=None) as socket, asyncio.TaskGroup() as group:
        group.create_task(member.read(socket), name=f"read {user}")
        try:
            await member.enter(socket)
            yield member
        finally:
            # Also after a failure: the server would keep the session for half a minute.
            with suppress(ConnectionClosed):
                await socket.send(json.dumps({"type": "bye", "bye": {}}))
            await socket.close()
