"""The bot under test: the command `livebot serve`, reached over HTTP like any other."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.system.world.hpb import Hpb
from tests.system.world.process import Process, WorldError, free_port, listens
from tests.system.world.turn import IceServer

PYTHON = os.environ.get("FAULTS_PYTHON", sys.executable)
"""Whose livebot is tested: another one's, where its behaviour is to be compared."""

_START_WITHIN_S = 30.0
"""Loading the embedded engine's model on a busy machine included."""

_POLL_S = 0.05

_THREADS = 1 + 2 + min(32, (os.cpu_count() or 1) + 4)
"""What a bot without rooms may have: its own, one that waits for each worker process, and the
event loop's pool, which never shrinks."""

_HEARS_WITHIN_S = 10.0
"""Subscribing takes 0.2 s; one second more was seen, and a busy machine needs some."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the bot and its workers have used so far.

    Attributes:
        cpu_s: Seconds of processor time.
        memory_mb: Memory, what they share counted once.
    """

    cpu_s: float
    memory_mb: float


class Bot:
    """A running bot; `bot()` makes it.

    Attributes:
        process: It and its workers.
        url: Where its API is.
        headers: What the test shows when it looks at rooms and figures.
    """

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.headers: Mapping[str, str] = {}

    async def start(self, room: str, turn_servers: Sequence[IceServer] = ()) -> dict[str, Any]:
        """Ask for captions in *room*; return the answer."""
        asked = {"roomToken": room, "languageId": "en", "turnServers": list(turn_servers)}
        async with (
            ClientSession(raise_for_status=True) as http,
            http.post(f"{self.url}/api/v1/call/transcribe", json=asked) as answer,
        ):
            return dict(await answer.json())

    async def ask(self, room: str, talk_session: str, **more: object) -> int:
        """Ask as Talk does for one reader's captions in *room*; return the answer's status."""
        return await self.post(
            "/api/v1/call/transcribe",
            {"roomToken": room, "ncSessionId": talk_session, "enable": True} | more,
        )

    async def post(self, path: str, body: Mapping[str, object]) -> int:
        """Ask for something; return the answer's status."""
        async with ClientSession() as http, http.post(self.url + path, json=body) as answer:
            return answer.status

    async def stop(self, room: str) -> int:
        """Ask for no more captions in *room*; return the answer's status."""
        async with (
            ClientSession() as http,
            http.delete(f"{self.url}/api/v1/call/transcribe/{room}") as answer,
        ):
            return answer.status

    async def rooms(self) -> Any:
        """Return what the bot says about its rooms."""
        return await self._json("/api/v1/call/transcribe")

    async def health(self) -> Any:
        """Return what the bot says about its health."""
        return await self._json("/healthz")

    async def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that carry *labels*; 0 if there are none."""
        samples = await self._samples(name)
        return sum(s.value for s in samples if labels.items() <= s.labels.items())

    async def by_label(self, name: str, label: str) -> dict[str, float]:
        """Return a metric's samples by the value of one label."""
        return {s.labels[label]: s.value for s in await self._samples(name)}

    async def _samples(self, name: str) -> list[Sample]:
        async with (
            ClientSession(raise_for_status=True, headers=self.headers) as http,
            http.get(f"{self.url}/metrics") as answer,
        ):
            families = list(text_string_to_metric_families(await answer.text()))
        return [s for family in families for s in family.samples if s.name == name]

    async def heard(self) -> float:
        """Return from how many people it has had audio since it runs."""
        return await self.metric("transcription_first_audio_seconds_count")

    async def longest_stall_s(self) -> float:
        """Return by how much its event loop was ever late, in seconds."""
        return await self.metric("transcription_event_loop_lag_seconds_max")

    async def until_heard(self, people: float) -> None:
        """Wait until it has had audio from *people*: nobody speaks before they can be heard.

        Raises:
            WorldError: It does not hear so many.
        """
        deadline = time.monotonic() + _HEARS_WITHIN_S
        while (found := await self.heard()) < people:
            if time.monotonic() > deadline:
                rooms = await self.rooms()
                raise WorldError(f"the bot hears {found:g} people, not {people:g}: {rooms}")
            await asyncio.sleep(_POLL_S)

    async def until_idle(self, within_s: float = 5.0) -> None:
        """Wait until it is in no room.

        Raises:
            WorldError: It still is after *within_s*.
        """
        deadline = time.monotonic() + within_s
        while await self.metric("transcription_rooms_active"):
            if time.monotonic() > deadline:
                raise WorldError(f"the bot stays: {await self.rooms()}")
            await asyncio.sleep(_POLL_S)

    def load(self) -> Load:
        """Return what it and its workers have used so far."""
        main = psutil.Process(self.process.pid)
        every = [main, *main.children(recursive=True)]
        return Load(
            cpu_s=sum(sum(p.cpu_times()[:2]) for p in every),
            memory_mb=sum(p.memory_full_info().pss for p in every) / 2**20,
        )

    async def until_clean(self, within_s: float = 5.0) -> None:
        """Wait until nothing of a room is left: no media socket, no decoder thread.

        Raises:
            WorldError: Something still is after *within_s*.
        """
        deadline = time.monotonic() + within_s
        while left := self._left():
            if time.monotonic() > deadline:
                raise WorldError(f"the bot left its rooms but keeps {left}")
            await asyncio.sleep(_POLL_S)

    def _left(self) -> list[str]:
        main = psutil.Process(self.process.pid)
        sockets = [c for c in main.net_connections("udp") if c.laddr]
        left = [f"{len(sockets)} media sockets"] if sockets else []
        if (threads := main.num_threads()) > _THREADS:
            left.append(f"{threads} threads")
        return left

    async def _json(self, path: str) -> Any:
        async with (
            ClientSession(headers=self.headers) as http,
            http.get(self.url + path) as answer,
        ):
            if answer.status not in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}:
                raise WorldError(f"GET {path} was answered {answer.status}")
            return await answer.json()


@contextmanager
def bot(folder: Path, hpb: Hpb, settings: Mapping[str, str | None] = {}) -> Iterator[Bot]:
    """Run the bot against *hpb*; *settings* are environment keys that differ from the default.

    Those that are None are not set at all. With `APP_PORT` it listens there.
    """
    folder.mkdir()
    port = int(settings.get("APP_PORT") or free_port())
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LT_HPB_URL": hpb.url,
        "LT_INTERNAL_SECRET": hpb.internal_secret,
        "NEXTCLOUD_URL": hpb.nextcloud,
        "LT_ENGINE": "local",
        "LT_EMPTY_ROOM_SECONDS": "1",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": "DEBUG",
        **settings,
    }
    argv = [PYTHON, "-m", "livebot", "serve"]
    given = {name: value for name, value in env.items() if value is not None}
    with Process("livebot", argv, folder=folder, env=given) as process:
        process.wait_until(listens(port), _START_WITHIN_S)
        yield Bot(process, port)
