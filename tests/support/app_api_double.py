"""AppAPI's side towards the app, as its PHP does it; shares no code with livebot.

nextcloud/app_api AppAPIService: heartbeatExApp, dispatchExAppInitInternal, enableExApp,
disableExApp, requestToExApp; the last is what Talk uses, with three seconds' patience.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.nextcloud_double import NextcloudDouble

TALK_WITHIN_S = 3.0
"""AppAPI's default, which Talk does not change."""


@dataclass
class AppApiDouble:
    """Asks one app what AppAPI and Talk ask it.

    Attributes:
        nextcloud: Where the app reports to, and whose secrets are shown.
        url: The app's address.
        socket: The unix socket through which HaRP reaches it; None for the address itself.
        events: What happened, in order.
    """

    nextcloud: NextcloudDouble
    url: str
    socket: Path | None = None
    events: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["AppApiDouble"]:
        """Be AppAPI for a while: enable the app when it says that it is ready."""
        connector = aiohttp.UnixConnector(str(self.socket)) if self.socket else None
        async with aiohttp.ClientSession(connector=connector) as self._session:
            self.nextcloud.on_ready = self.enable
            try:
                yield self
            finally:
                self.nextcloud.on_ready = None

    def headers(self, user: str = "") -> dict[str, str]:
        """Return what AppAPI shows; the request id is `CLI` in all that it asks itself."""
        shown = base64.b64encode(f"{user}:{self.nextcloud.secret}".encode()).decode()
        return {
            "AA-VERSION": "33.0.0",
            "EX-APP-ID": self.nextcloud.app_id,
            "EX-APP-VERSION": self.nextcloud.app_version,
            "AUTHORIZATION-APP-API": shown,
            "AA-REQUEST-ID": "CLI",
        }

    async def install(self, within_s: float = 30.0) -> None:
        """Do all that AppAPI does when the app is installed, until it is enabled.

        Raises:
            TimeoutError: It took too long.
            AssertionError: The app said that it cannot be installed.
        """
        async with asyncio.timeout(within_s):
            await self.heartbeat()
            await self.init()
            while "enabled" not in self.events:
                errors = [error for _, error in self.nextcloud.progress if error]
                assert not errors, errors
                await asyncio.sleep(0.05)

    async def heartbeat(self) -> None:
        """Ask, without showing anything, until the app is there."""
        while True:
            try:
                async with self._session.get(f"{self.url}/heartbeat") as found:
                    if found.status == 200 and (await found.json())["status"] == "ok":
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)

    async def init(self) -> None:
        """Have the app prepare itself; it reports on its own."""
        self.nextcloud.begin_init()
        status, _ = await self.request("POST", "/init")
        self.events.append(f"init {status}")

    async def enable(self) -> None:
        """Enable the app; called while it reports that it is ready, too."""
        self.nextcloud.enabled = True
        await self._switch("1", "enabled")

    async def disable(self) -> None:
        """Disable the app; Nextcloud then lets it ask nothing, whatever it answered."""
        await self._switch("0", "disabled")
        self.nextcloud.enabled = False

    async def _switch(self, enabled: str, event: str) -> None:
        status, found = await self.request("PUT", f"/enabled?enabled={enabled}")
        assert isinstance(found, dict), (status, found)
        self.events.append(event if not found.get("error") else f"not {event}")

    async def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, user: str = ""
    ) -> tuple[int, Any]:
        """Ask the app as `PublicFunctions::exAppRequest` does.

        Returns:
            The status and the decoded body; 0 and the error where there was no answer in time.
        """
        timeout = aiohttp.ClientTimeout(total=TALK_WITHIN_S)
        try:
            async with self._session.request(
                method,
                f"{self.url}{path}",
                json=body,
                headers=self.headers(user),
                timeout=timeout,
            ) as found:
                is_json = found.content_type == "application/json"
                return found.status, await found.json() if is_json else await found.text()
        except (aiohttp.ClientError, TimeoutError) as exc:
            return 0, {"error": repr(exc)}
