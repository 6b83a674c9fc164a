"""Talk's part in captions: it asks the bot for them, for whoever wants to read.

Talk's server does so in the name of a person who presses CC, or who leaves. The bot is asked
over its HTTP API and by nothing else.
"""

from collections.abc import Callable
from typing import Final

import aiohttp

from livebot.demo.server import DemoServer
from livebot.errors import LivebotError
from livebot.ids import RoomToken, TalkSessionId

ANSWER_WITHIN_S: Final = 3.0
"""As long as Talk waits."""

_PATH: Final = "/api/v1/call/transcribe"


class Talk:
    """What Talk's server does for the people in one room's call.

    Args:
        server: Knows who wants captions.
        port: The bot's.
        room: The room.
        language: What is spoken there.
        on_problem: Told, in a sentence, what the bot did not do.
    """

    def __init__(
        self,
        server: DemoServer,
        port: int,
        *,
        room: RoomToken,
        language: str,
        on_problem: Callable[[str], None],
    ) -> None:
        self._server = server
        self._url = f"http://127.0.0.1:{port}{_PATH}"
        self._room = room
        self._language = language
        self._on_problem = on_problem
        self._readers: frozenset[TalkSessionId] = frozenset()

    async def begin(self) -> None:
        """Wait for the first who want captions, and ask for them.

        Raises:
            LivebotError: The bot refused or did not answer.
        """
        self._readers = await self._server.readers(self._room, self._readers)
        for reader in self._readers:
            await self._ask(reader, enable=True)

    async def run(self) -> None:
        """Ask for whoever wants captions, or wants them no more, from then on.

        What fails is told, also to whom it concerns. It is not tried again: as in Talk, people
        press the button once more.
        """
        while True:
            readers = await self._server.readers(self._room, self._readers)
            before, self._readers = self._readers, readers
            for reader in readers ^ before:
                try:
                    await self._ask(reader, enable=reader in readers)
                except LivebotError as exc:
                    which = "on" if reader in readers else "off"
                    why = f"Captions could not be switched {which}: {exc}"
                    self._on_problem(why)
                    self._server.captions_failed(self._room, reader, why)

    async def end(self) -> None:
        """End the captions of everybody.

        Raises:
            LivebotError: The bot refused or did not answer.
        """
        await self._call("DELETE", f"{self._url}/{self._room}")

    async def _ask(self, reader: TalkSessionId, *, enable: bool) -> None:
        body = {
            "roomToken": self._room,
            "ncSessionId": reader,
            "enable": enable,
            "langId": self._language,
            "mode": "replace",
        }
        await self._call("POST", self._url, body)

    async def _call(self, method: str, url: str, body: object = None) -> None:
        deadline = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=deadline) as http,
                http.request(method, url, json=body) as response,
            ):
                if not response.ok:
                    why = await response.text()
                    raise LivebotError(f"the bot refused ({response.status}): {why}")
        except TimeoutError as exc:
            raise LivebotError(f"the bot did not answer within {ANSWER_WITHIN_S:.0f} s") from exc
        except aiohttp.ClientError as exc:
            raise LivebotError("the bot cannot be reached") from exc
