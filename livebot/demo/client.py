"""An ordinary participant's side of the signaling conversation, as a Talk client holds it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec

from livebot.errors import SignalingError
from livebot.ids import RoomToken, SessionId
from livebot.signaling import messages

ANSWER_WITHIN_S: Final = 10.0
MAX_HEARD: Final = 10_000
"""Captions that may wait to be shown: hours of speech."""

_MEDIA_ANSWER: Final = "answer of the media server"

IN_CALL: Final = 1
WITH_AUDIO: Final = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """A caption as it arrived.

    Attributes:
        speaker: The speaker's display name.
        session: The speaker.
        text: The words.
        final: False if the next caption of the same speaker replaces it.
        start: Seconds on the room's time line, where the bot knows it.
        end: As `start`.
        language: Its code.
        history: Whether it was said before we began to read.
    """

    speaker: str
    session: SessionId
    text: str
    final: bool
    start: float | None
    end: float | None
    language: str
    history: bool = False


class Client:
    """A participant in a room; see `join()`.

    Attributes:
        session: Our public session id.
        heard: The captions sent to us; None when the bot has left, so that no more come.
    """

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.session = SessionId("")
        self.heard: asyncio.Queue[Heard | None] = asyncio.Queue(MAX_HEARD)
        self._ws = ws
        self._ids = map(str, itertools.count(1))
        # By the id of the request, which every error repeats, or by what answers it.
        self._waiting: dict[str, asyncio.Future[messages.Incoming]] = {}
        self._names: dict[SessionId, str] = {}
        self._bots: set[SessionId] = set()

    async def enter(self, room: RoomToken, name: str, flags: int) -> None:
        """Say hello, join the room and say that we are in the call.

        Raises:
            SignalingError: The server refused or did not answer.
        """
        params = {"userid": name.lower(), "displayname": name}
        reply = await self._ask("hello", {"version": "1.0", "auth": {"params": params}})
        if reply.hello is None:
            raise SignalingError("no hello in the answer")
        self.session = SessionId(reply.hello.sessionid)
        await self._ask("room", {"roomid": room})
        await self._send("internal", {"type": "incall", "incall": {"incall": flags}})

    async def want_captions(self, *, enable: bool = True) -> None:
        """Switch captions on, or off again; before, there are none, as in Talk."""
        await self._send("captions", {"enable": enable})

    async def publish(self, sdp: str) -> str:
        """Offer our audio to the media server; return its answer.

        Raises:
            SignalingError: The server refused or did not answer.
        """
        data = {
            "to": self.session,
            "type": "offer",
            "roomType": "video",
            "sid": "1",
            "payload": {"type": "offer", "sdp": sdp},
        }
        recipient = {"type": "session", "sessionid": self.session}
        body = {"recipient": recipient, "data": data}
        reply = await self._ask("message", body, answered_by=_MEDIA_ANSWER)
        payload = messages.decode_media(reply.message.data).payload if reply.message else None
        if payload is None or payload.sdp is None:
            raise SignalingError("no SDP in the answer")
        return payload.sdp

    async def read(self) -> None:
        """Take in what arrives until the connection ends."""
        async for message in self._ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._receive(messages.decode(message.data))
        self.heard.put_nowait(None)

    async def leave(self) -> None:
        """Say bye; the server then closes the connection."""
        with suppress(ConnectionError):
            await self._send("bye", {})

    async def _send(self, kind: str, body: Mapping[str, Any]) -> str:
        ident = next(self._ids)
        request = {"id": ident, "type": kind, kind: body}
        await self._ws.send_str(msgspec.json.encode(request).decode())
        return ident

    async def _ask(
        self, kind: str, body: Mapping[str, Any], *, answered_by: str = ""
    ) -> messages.Incoming:
        """Send a request and wait for its answer or an error."""
        ident = await self._send(kind, body)
        answer: asyncio.Future[messages.Incoming] = asyncio.get_running_loop().create_future()
        keys = (ident, answered_by)
        self._waiting |= dict.fromkeys(keys, answer)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reply = await answer
        except TimeoutError as exc:
            raise SignalingError(f"no answer to {kind} in time") from exc
        finally:
            for key in keys:
                del self._waiting[key]
        if reply.error is not None:
            raise SignalingError(f"{kind} was refused: {reply.error.code}")
        return reply

    def _receive(self, message: messages.Incoming) -> None:
        if message.id:
            self._answered(message.id, message)
        match message:
            case messages.Incoming(event=messages.Event() as event):
                self._on_event(event)
            case messages.Incoming(message=messages.Message(data=data)):
                self._on_message(message, data)
            case _:
                pass

    def _answered(self, key: str, message: messages.Incoming) -> None:
        answer = self._waiting.get(key)
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _on_event(self, event: messages.Event) -> None:
        for entry in event.join or ():
            name = (entry.user or {}).get("displayname")
            self._names[SessionId(entry.sessionid)] = str(name or entry.userid or "?")
        for user in event.update.users or () if event.update else ():
            if user.internal:
                self._bots.add(SessionId(user.session_id))
        if self._bots.intersection(event.leave or ()):
            self.heard.put_nowait(None)

    def _on_message(self, message: messages.Incoming, data: msgspec.Raw) -> None:
        if messages.decode_media(data).type == "answer":
            self._answered(_MEDIA_ANSWER, message)
            return
        try:
            caption = msgspec.json.decode(data, type=messages.Transcript)
        except msgspec.ValidationError:
            return
        name = self._names.get(caption.speaker, "?")
        self.heard.put_nowait(
            Heard(
                speaker=name,
                session=caption.speaker,
                text=caption.text,
                final=caption.final,
                start=caption.start,
                end=caption.end,
                language=caption.language,
                history=caption.history is True,
            )
        )


@asynccontextmanager
async def join(url: str, *, room: RoomToken, name: str, flags: int) -> AsyncIterator[Client]:
    """Join a call as an ordinary participant; leaving the context leaves the call.

    Args:
        url: The signaling server's WebSocket.
        room: The room.
        name: The display name.
        flags: `IN_CALL`, with `WITH_AUDIO` for who is going to publish.

    Raises:
        SignalingError: The server cannot be reached, refused or did not answer.
    """
    async with AsyncExitStack() as stack:
        try:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            ws = await stack.enter_async_context(http.ws_connect(url))
        except aiohttp.ClientError as exc:
            raise SignalingError("the signaling server cannot be reached") from exc
        group = await stack.enter_async_context(asyncio.TaskGroup())
        client = Client(ws)
        reader = group.create_task(client.read(), name=f"demo-{name}")
        stack.callback(reader.cancel)
        await client.enter(room, name, flags)
        try:
            yield client
        finally:
            await client.leave()
