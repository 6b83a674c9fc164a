"""`livebot demo`: a call between two recorded speakers, captioned by the very bot.

Everything but the speakers and the server is what runs in production: the bot is built
by `app.App`, asked over its own HTTP API, and its captions are those that a participant
of the call receives.
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from livebot import logs
from livebot.app import App
from livebot.demo.client import IN_CALL, Client, join
from livebot.demo.loopback import loopback_only
from livebot.demo.participants import Participant, join_with_microphone, play
from livebot.demo.screen import JsonScreen, Screen, TerminalScreen
from livebot.demo.server import DemoServer
from livebot.demo.speech import PARTICIPANTS, Turn, programme
from livebot.demo.talk import Talk
from livebot.errors import LivebotError
from livebot.ids import RoomToken
from livebot.settings import Settings, load_settings

ROOM: Final = RoomToken("demo")
"""Also in `page/app.js`."""

LANGUAGE: Final = "en"
VIEWER: Final = "Viewer"

LISTENS_WITHIN_S: Final = 30.0
LAST_WORDS_WITHIN_S: Final = 20.0
TAIL_S: Final = 1.5
"""Silence after the last word, as a person leaves it before hanging up."""

BETWEEN_ROUNDS_S: Final = 3.0

INTERRUPTED: Final = 130

_OF_THE_MACHINE: Final = {"model_dir", "engine_workers", "max_lag_ms", "max_memory_mb"}
"""Settings that a demo takes from its surroundings; those of a service beside it are not its."""


def run(*, once: bool, as_json: bool, host: str = "127.0.0.1", port: int = 0) -> int:
    """Play the demo; return the exit code.

    Args:
        once: Play the speech once instead of until Ctrl-C.
        as_json: Print one JSON object per complete caption, and nothing else on stdout.
        host: Where the page is.
        port: Where the page is; 0 for any free port.

    Raises:
        LivebotError: (also in a group) Something failed; with `once`, that no captions came.
    """
    logs.configure("warning", "console", stream=sys.stderr)
    screen: Screen = JsonScreen() if as_json else TerminalScreen()
    turns = programme()
    try:
        with screen, loopback_only():
            asyncio.run(_demo(screen, turns, once=once, host=host, port=port))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED if once else 0
    return 0


async def _demo(
    screen: Screen, turns: Sequence[Turn], *, once: bool, host: str, port: int
) -> None:
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    secret = secrets.token_urlsafe()
    async with (
        AsyncExitStack() as stack,
        DemoServer(secret=secret, host=host, port=port) as server,
    ):
        screen.page(server.page_url)
        screen.waiting("the speech recogniser")
        folder = await stack.enter_async_context(_folder())
        settings = await asyncio.to_thread(_settings, server, secret, folder)
        async with App(settings) as app, _call(server) as (viewer, speakers):
            talk = Talk(server, app.port, room=ROOM, language=LANGUAGE, on_problem=screen.problem)
            await talk.begin()
            screen.waiting("the bot to listen")
            await _listened(server, speakers)
            screen.waiting("the first words")
            async with asyncio.TaskGroup() as group:
                shown = group.create_task(_show(screen, viewer), name="demo-show")
                asking = group.create_task(talk.run(), name="demo-talk")
                if once:
                    await play(turns, speakers)
                    # Whoever joins now would begin it all again.
                    asking.cancel()
                    await _hang_up(talk, shown)
                else:
                    await _play_on(turns, speakers, shown)


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    """Have a folder for what the bot keeps while it runs."""
    folder = await asyncio.to_thread(TemporaryDirectory, prefix="livebot-demo-")
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)


def _settings(server: DemoServer, secret: str, folder: Path) -> Settings:
    """Return the settings of the bot; of those around it only what the machine can do counts.

    Args:
        server: Where the call is.
        secret: Of the signaling server.
        folder: Where it keeps what it needs while it runs.
    """
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if name not in _OF_THE_MACHINE
    }
    own = {
        "hpb_url": server.signaling_url,
        "internal_secret": secret,
        "nextcloud_url": "http://127.0.0.1",
        "engine": "local",
        "port": 0,
        "data_dir": folder,
        # There is no Nextcloud to ask.
        "translation": "off",
    }
    return load_settings(for_call=True, **defaults | own)


@asynccontextmanager
async def _call(server: DemoServer) -> AsyncIterator[tuple[Client, dict[str, Participant]]]:
    """Let everybody join: the viewer, whose captions are shown, and the speakers."""
    url = server.signaling_url
    async with AsyncExitStack() as stack:
        viewer = await stack.enter_async_context(join(url, room=ROOM, name=VIEWER, flags=IN_CALL))
        await viewer.want_captions()
        speakers = {
            name: await stack.enter_async_context(join_with_microphone(url, room=ROOM, name=name))
            for name in PARTICIPANTS
        }
        yield viewer, speakers


async def _listened(server: DemoServer, speakers: dict[str, Participant]) -> None:
    try:
        async with asyncio.timeout(LISTENS_WITHIN_S):
            for speaker in speakers.values():
                await server.listened(speaker.session)
    except TimeoutError as exc:
        raise LivebotError(f"the bot did not listen within {LISTENS_WITHIN_S:.0f} s") from exc


async def _hang_up(talk: Talk, shown: asyncio.Task[set[str]]) -> None:
    """Stop the captions and wait for the last words.

    Raises:
        LivebotError: They did not come, or somebody's captions are missing altogether.
    """
    await asyncio.sleep(TAIL_S)
    await talk.end()
    try:
        async with asyncio.timeout(LAST_WORDS_WITHIN_S):
            heard = await shown
    except TimeoutError as exc:
        raise LivebotError("the bot did not leave after its last words") from exc
    if missing := [name for name in PARTICIPANTS if name not in heard]:
        raise LivebotError(f"no captions of {' and '.join(missing)} arrived")


async def _play_on(
    turns: Sequence[Turn], speakers: dict[str, Participant], shown: asyncio.Task[set[str]]
) -> None:
    """Play again and again.

    Raises:
        LivebotError: No more captions come.
    """
    while not shown.done():
        await play(turns, speakers)
        await asyncio.wait([shown], timeout=BETWEEN_ROUNDS_S)
    raise LivebotError("the bot left the call")


async def _show(screen: Screen, viewer: Client) -> set[str]:
    """Show captions until no more come; return whose complete captions there were."""
    speakers = set()
    while (heard := await viewer.heard.get()) is not None:
        screen.waiting("")
        screen.caption(heard)
        if heard.final:
            speakers.add(heard.speaker)
    return speakers
