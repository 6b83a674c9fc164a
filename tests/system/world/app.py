"""livebot as an app of Nextcloud, and a Nextcloud that takes it for one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aiohttp import ClientSession

from tests.support.app_api_double import AppApiDouble
from tests.support.nextcloud_double import NextcloudDouble
from tests.system.world.bot import Bot, bot
from tests.system.world.hpb import Hpb
from tests.system.world.process import WorldError, free_port
from tests.system.world.turn import Turn

TRANSCRIBE = "/api/v1/call/transcribe"


@dataclass(frozen=True, slots=True)
class App:
    """The app and who asks it; `installed()` makes them.

    Attributes:
        bot: The app.
        nextcloud: What it asks.
        app_api: Who asks it.
    """

    bot: Bot
    nextcloud: NextcloudDouble
    app_api: AppApiDouble

    async def ask(self, room: str, talk_session: str, **more: object) -> None:
        """Ask for one reader's captions, as Talk does.

        Raises:
            WorldError: The answer is not 200, or does not come within Talk's three seconds.
        """
        body = {"roomToken": room, "ncSessionId": talk_session, "enable": True} | more
        status, found = await self.app_api.request("POST", TRANSCRIBE, body)
        if status != HTTPStatus.OK:
            raise WorldError(f"POST {TRANSCRIBE} was answered {status} {found}")


@contextmanager
def app_bot(folder: Path, hpb: Hpb) -> Iterator[Bot]:
    """Run livebot with what AppAPI gives to an app; all else it must find out."""
    nextcloud = NextcloudDouble()
    settings = {
        "APP_ID": nextcloud.app_id,
        "APP_SECRET": nextcloud.secret,
        "APP_VERSION": nextcloud.app_version,
        "AA_VERSION": "33.0.0",
        "APP_HOST": "127.0.0.1",
        "APP_PORT": str(free_port()),
        "APP_PERSISTENT_STORAGE": str(folder / "storage"),
        "LT_HPB_URL": None,
        "HOST": None,
        "PORT": None,
        # So that nothing works without the TURN server of Talk's settings.
        "LT_ICE_POLICY": "relay",
    }
    with bot(folder, hpb, settings) as found:
        found.headers = AppApiDouble(nextcloud, found.url).headers()
        yield found


@asynccontextmanager
async def installed(bot: Bot, hpb: Hpb, turn: Turn) -> AsyncIterator[App]:
    """Let Nextcloud install *bot* as its app, in whose Talk *hpb* and *turn* are configured."""
    nextcloud = NextcloudDouble(
        hpb=hpb.url,
        turn_urls=list(turn.ice_server("udp")["urls"]),
        # An account that does not expire: the TURN server's own.
        turn_s=None,
    )
    async with (
        nextcloud.serve(),
        _asked(hpb, nextcloud),
        AppApiDouble(nextcloud, bot.url).connected() as app_api,
    ):
        await app_api.install()
        yield App(bot, nextcloud, app_api)


@asynccontextmanager
async def _asked(hpb: Hpb, nextcloud: NextcloudDouble) -> AsyncIterator[None]:
    """Let *nextcloud* answer what apps ask under the address that the signaling server knows."""

    async def set_apps(url: str | None) -> None:
        async with (
            ClientSession(raise_for_status=True) as http,
            http.put(f"{hpb.nextcloud}/world/apps", json={"url": url}),
        ):
            pass

    await set_apps(nextcloud.url)
    try:
        yield
    finally:
        await set_apps(None)
