"""Fifty people speak live at once, at the pace of speech: each gets its own words, in order.

Real speech, and an endpoint of the remote engine that knows by heart what is said in it.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from functools import partial
from statistics import median

import aiohttp
import numpy as np
import pytest

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.feeds.directory import Feeds
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from livebot.stt.engines.kyutai import KyutaiEngine
from livebot.stt.failover import Failover
from tests.support.kyutai_double import KyutaiDouble
from tests.support.live_client import LiveClient
from tests.support.recorded_speech import FOLDER, recording
from tests.support.speech_double import Script, Scripts, SpeechModel

PEOPLE = 50
SPOKEN_S = 12.0
TAIL_S = 1.0
SPREAD_S = 2.0
"""They do not all begin in the same instant."""

KEY = "0123456789abcdef"
NAMES = ("two_cities", "two_cities", "jfk", "two_cities", "libri_02_spk1188")


@dataclass(frozen=True)
class Person:
    """What somebody says.

    Attributes:
        audio: 16-bit samples at 24 kHz.
        words: What is said in them.
    """

    audio: bytes
    words: list[str]


@dataclass(frozen=True)
class Crowd:
    """Everybody, and all that is said."""

    people: list[Person]
    scripts: Scripts


@pytest.fixture
def crowd() -> Crowd:
    """Give everybody a piece of real speech; made before the loop runs."""
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    scripts = {
        entry["id"]: Script(
            (recording(entry["id"]).audio * 32_767).astype(np.int16),
            tuple((text, start, end) for text, start, end in entry["words"]),
        )
        for entry in manifest
        if entry["words"]
    }
    people = [
        _person(scripts[name], number * 0.61 % 31 if name == NAMES[0] else 0.0)
        for number in range(PEOPLE)
        for name in [NAMES[number % len(NAMES)]]
    ]
    return Crowd(people, Scripts(list(scripts.values())))


def _person(script: Script, begin_s: float) -> Person:
    """Cut a piece out of a recording, from the beginning of a word on."""
    begin_s = next(start for _, start, _ in script.words if start >= begin_s) - 0.02
    words = [w for w in script.words if w[1] >= begin_s and w[2] <= begin_s + SPOKEN_S]
    end_s = words[-1][2] + 0.02
    samples = script.samples[round(begin_s * 24_000) : round(end_s * 24_000)]
    audio = samples.tobytes() + bytes(round(TAIL_S * 48_000))
    return Person(audio, [text for text, _, _ in words])


@pytest.fixture
def settings() -> Settings:
    """Return the settings of a service with a key; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=f"ops:{KEY}")


@pytest.mark.timeout(180)
async def test_fifty_at_once(
    crowd: Crowd, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each gets its words in order, whatever a reader that does not read does.

    Spec: live-sessions/Many at once.
    """
    feeds, metrics = Feeds(), Metrics()
    double = KyutaiDouble(model=partial(SpeechModel, crowd.scripts))
    async with (
        double.serve(),
        Failover({"kyutai": KyutaiEngine({"url": double.url})}, metrics) as engine,
        LiveSessions(settings, engine=engine, feeds=feeds, store=None, metrics=metrics) as live,
    ):
        app = make_app({}, settings, metrics, services=Services(feeds=feeds, live=live))
        async with serve(app, Bind("127.0.0.1", 0)) as port:
            base = f"http://127.0.0.1:{port}"
            clients = [LiveClient(base, each.audio, key=KEY) for each in crowd.people]
            async with asyncio.TaskGroup() as group:
                stuck = group.create_task(_never_read(base, crowd.people[0]))
                running = [
                    group.create_task(_begin(client, number))
                    for number, client in enumerate(clients)
                ]
                await asyncio.wait(running)
                stuck.cancel()

    for client, person in zip(clients, crowd.people, strict=True):
        assert client.text.split() == person.words
        assert (client.missing, client.gaps, client.lost) == ([], [], 0)
    late = sorted(seconds for client in clients for seconds in client.lateness)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{PEOPLE} live sessions: {len(late)} finals, lateness median"
            f" {median(late):.2f} s, 95 % {late[len(late) * 95 // 100]:.2f} s\n"
        )


async def _begin(client: LiveClient, number: int) -> None:
    await asyncio.sleep(number * SPREAD_S / PEOPLE)
    await client.run()


async def _never_read(base: str, person: Person) -> None:
    """Speak, and read nothing of what one is told."""
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"{base}/ws/transcribe?encoding=pcm_s16le&rate=24000"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, headers=headers, max_msg_size=0) as ws,
    ):
        transport = ws._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        for at in range(0, len(person.audio), 4_800):
            await ws.send_bytes(person.audio[at : at + 4_800])
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()
