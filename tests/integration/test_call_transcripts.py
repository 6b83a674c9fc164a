"""Calls that are kept, over real sockets, media, database and files."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import av
import msgspec
import pytest

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.feeds.directory import Feeds, room_feed
from livebot.feeds.feed import Feed
from livebot.metrics import Metrics
from livebot.rooms.archive import Archive
from livebot.rooms.manager import RoomManager
from livebot.rooms.surroundings import Surroundings
from livebot.settings import Bind, load_settings
from livebot.store import Store
from livebot.store.records import EVERYTHING, StoredTranscript
from livebot.stt.engine import Pause, SttEvent, Word
from tests.support import wire
from tests.support.scripted_engine import ScriptedEngine, ScriptedStream
from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.sender import loopback_only, sender
from tests.support.waiting import until

CALLS, TRANSCRIPTS = "/api/v1/call/transcribe", "/api/v1/transcripts"
ALICE, BOB = "alice-session", "bob-session"
BOT = ("bot-1", 1, True)


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


def words(text: str) -> list[SttEvent]:
    """Return an utterance of the first second."""
    said: list[SttEvent] = [Word(word, 0.1, 0.4) for word in text.split()]
    return [*said, Pause()]


@dataclass
class World:
    """A call: Alice has an account, Bob is a guest."""

    server: ScriptedServer
    engine: ScriptedEngine
    store: Store
    feeds: Feeds
    metrics: Metrics
    folder: Path
    session: aiohttp.ClientSession
    stack: AsyncExitStack
    streams: dict[str, ScriptedStream] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Ask the API."""
        async with self.session.request(method, path, **more) as answer:
            return answer.status, await answer.json()

    async def begin(self, *speakers: str, **body: Any) -> None:
        """Begin captions, with these people speaking."""
        status, answer = await self.ask("POST", CALLS, json={"roomToken": wire.ROOM, **body})
        assert status == 200, answer
        await self.server.wait_for("room")
        people = {ALICE: ("alice", "Alice Ackermann"), BOB: ("", "Bob")}
        came = [
            {"sessionid": who, "userid": user, "user": {"displayname": name}}
            for who, (user, name) in people.items()
        ]
        await self.server.send(
            json.dumps(
                {"type": "event", "event": {"target": "room", "type": "join", "join": came}}
            )
        )
        await self.server.send(wire.call(BOT, *((who, 3, False) for who in speakers)))
        await self.server.wait_for("requestoffer", count=len(speakers))
        for number, who in enumerate(speakers):
            source = await self.stack.enter_async_context(sender())
            await self.server.send(wire.offer(who, f"sid-{number}", await source.offer()))
            answer = await self.server.wait_for("answer", count=number + 1)
            await source.accept(answer["message"]["data"]["payload"]["sdp"])
            self.streams[who] = await self.engine.stream(number)

    async def say(self, who: str, text: str) -> None:
        """Let somebody say something; return when readers have it."""
        before = self.feed.seq
        self.streams[who].say(*words(text))
        await until(
            lambda: (
                self.feed.seq > before and text in [f.text for f in self.feed.snapshot().finals]
            )
        )

    @property
    def feed(self) -> Feed:
        """Return what those who read along are told."""
        return self.feeds.get(room_feed("default", wire.ROOM))

    async def kept(self) -> list[StoredTranscript]:
        """Return what is kept, oldest first."""
        page = await self.store.transcripts.find(EVERYTHING)
        return [await self.store.transcripts.get(h.id, EVERYTHING) for h in page.items[::-1]]

    async def texts(self) -> list[str]:
        """Return all texts that are kept."""
        return [each.text for its in await self.kept() for each in its.utterances]

    async def end(self) -> None:
        """End the captions, and wait for the last of them."""
        await self.ask("DELETE", f"{CALLS}/{wire.ROOM}")
        await self.server.wait_for("bye")

    def files(self) -> list[Path]:
        """Return the files of audio."""
        return sorted(self.store.audio.folder.rglob("*.*"))

    def bytes_kept(self) -> bytes:
        """Return every byte under the data folder."""
        return b"".join(
            path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()
        )


async def _eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what the database says."""
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def _ended(it: World) -> None:
    async def is_so() -> bool:
        kept = await it.kept()
        return bool(kept) and all(each.head.ended_at for each in kept)

    await _eventually(is_so)


async def _written(it: World, *texts: str) -> None:
    async def is_so() -> bool:
        return set(texts) <= set(await it.texts())

    await _eventually(is_so)


async def _indexed(it: World, transcript: str, count: int) -> None:
    async def is_so() -> bool:
        return len(await it.store.audio.of(transcript)) >= count

    await _eventually(is_so)


@asynccontextmanager
async def world(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Open everything."""
    given = {"internal_secret": "s", "nextcloud_url": "http://nc", "host": "127.0.0.1"} | settings
    engine, metrics, feeds = ScriptedEngine(), Metrics(), Feeds()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server = await enter(scripted_server())
        loaded = await asyncio.to_thread(lambda: load_settings(hpb_url=server.url, **given))
        store = await enter(Store(folder, metrics=metrics))
        archive = await enter(Archive(store, metrics))
        around = Surroundings(feeds=feeds, archive=archive)
        manager = RoomManager(loaded, engine=engine, metrics=metrics, around=around)
        await enter(manager)
        stack.push_async_callback(manager.drain, 10)
        services = Services(feeds=feeds, store=store)
        app = make_app({"default": manager}, loaded, metrics, services=services)
        port = await enter(serve(app, Bind("127.0.0.1", 0)))
        session = await enter(aiohttp.ClientSession(f"http://127.0.0.1:{port}"))
        media = await enter(AsyncExitStack())
        yield World(server, engine, store, feeds, metrics, folder, session, media)


async def test_a_call_is_kept_where_the_request_says_so(tmp_path: Path) -> None:
    """With names, times and the last words; found by what was said.

    Spec: transcripts-of-calls/What is kept, transcripts-of-calls/Read along.
    """
    async with world(tmp_path) as it:
        it.engine.on_open = lambda s: setattr(s, "last_words", tuple(words("the end")))
        await it.begin(ALICE, BOB, store=True)
        await it.say(ALICE, "good morning everybody")
        await it.say(BOB, "hello there")
        first = it.feed.snapshot().finals[0]
        assert (first.speaker.name, first.language) == ("Alice Ackermann", "en")
        assert first.latency_ms is not None
        assert first.latency_ms < 60_000
        await it.end()
        await _ended(it)

        (kept,) = await it.kept()
        assert (kept.head.room, kept.head.backend, kept.head.kind) == (
            wire.ROOM,
            "default",
            "call",
        )
        assert (kept.head.language, kept.head.audio) == ("en", False)
        assert kept.head.duration > 0
        said = [(each.text, each.speaker, each.person) for each in kept.utterances]
        assert sorted(said) == sorted(
            [
                ("good morning everybody", "Alice Ackermann", "alice"),
                ("hello there", "Bob", "guest:Bob"),
                ("the end", "Alice Ackermann", "alice"),
                ("the end", "Bob", "guest:Bob"),
            ]
        )
        _, found = await it.ask("GET", TRANSCRIPTS, params={"query": "EVERYBODY"})
        assert [each["id"] for each in found["transcripts"]] == [kept.head.id]
        assert it.files() == []


async def test_nothing_is_kept_that_nobody_asked_for(tmp_path: Path) -> None:
    """Not a word and not a byte of audio, whatever is read along.

    Spec: transcripts-of-calls/What is kept, transcripts-of-calls/Audio.
    """
    async with world(tmp_path, audio="consent") as it:
        await it.begin(ALICE)
        await it.say(ALICE, "between ourselves")
        await it.end()
        assert await it.kept() == []
        assert it.files() == []
    assert b"ourselves" not in it.bytes_kept()


async def test_settings_keep_all_calls_but_those_that_say_no(tmp_path: Path) -> None:
    """Switched off in the middle, and on again. Spec: transcripts-of-calls/What is kept."""
    async with world(tmp_path, transcripts="on", audio="consent") as it:
        await it.begin(ALICE)
        await it.say(ALICE, "on the record")
        await it.ask("POST", CALLS, json={"roomToken": wire.ROOM, "store": False})
        await it.say(ALICE, "off the record")
        await it.ask("POST", CALLS, json={"roomToken": wire.ROOM, "store": True})
        await it.say(ALICE, "on again")
        await _written(it, "on the record", "on again")
        assert await it.texts() == ["on the record", "on again"]
        assert len(await it.kept()) == 2
        assert it.files() == []


@pytest.mark.parametrize(
    ("settings", "body", "said"),
    [
        ({}, {"store": True, "audioConsent": True}, "LT_AUDIO=consent"),
        ({"audio": "consent"}, {"audioConsent": True}, "store: true"),
        ({"audio": "consent"}, {"store": True, "ncSessionId": "x"}, "ncSessionId"),
        ({}, {"store": "yes"}, "store must be true or false"),
        ({}, {"audioConsent": 1}, "audioConsent must be true or false"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    tmp_path: Path, settings: dict[str, str], body: dict[str, Any], said: str
) -> None:
    """With what to do, and no room is begun. Spec: transcripts-of-calls/What is kept."""
    async with world(tmp_path, **settings) as it:
        status, answer = await it.ask("POST", CALLS, json={"roomToken": wire.ROOM, **body})
        assert status == 400
        assert said in answer["error"]
        assert (await it.ask("GET", CALLS))[1] == {"rooms": []}


async def test_audio_is_kept_where_everybody_agreed(tmp_path: Path) -> None:
    """A file for each speaker that plays for as long as they were heard.

    Spec: transcripts-of-calls/Audio.
    """
    async with world(tmp_path, audio="consent") as it:
        await it.begin(ALICE, BOB, store=True, audioConsent=True)
        await asyncio.sleep(2)
        await it.say(ALICE, "hello there")
        await it.end()
        await _ended(it)
        (kept,) = await it.kept()
        await until(lambda: len(it.files()) == 2)
        await _indexed(it, kept.head.id, 2)
        index = await it.store.audio.of(kept.head.id)

        assert kept.head.audio
        assert {person for person, *_ in index} == {"alice", "guest:Bob"}
        for _, start, end, path in index:
            with av.open(str(path), "r") as container:
                seconds = sum(f.samples for f in container.decode(audio=0)) / 48_000
            assert seconds > 1.0
            assert abs(seconds - (end - start)) < 0.1
            assert 0 <= start < end <= kept.head.duration + 1
        _, listed = await it.ask("GET", f"{TRANSCRIPTS}/{kept.head.id}/audio")
        assert len(listed["audio"]) == 2


async def test_a_person_can_be_erased_in_the_middle_of_a_call(tmp_path: Path) -> None:
    """No word of hers is in any file of the service, nor told; his are. And she may speak on.

    Spec: transcripts-of-calls/Erase.
    """
    async with world(tmp_path, audio="consent") as it:
        await it.begin(ALICE, BOB, store=True, audioConsent=True)
        await it.say(ALICE, "xylophone secrets")
        await it.say(BOB, "zeppelin facts")
        await _written(it, "xylophone secrets", "zeppelin facts")
        assert b"xylophone" in it.bytes_kept()
        # A second call's worth of her audio, so that files are there already.
        await it.ask("POST", CALLS, json={"roomToken": wire.ROOM, "audioConsent": False})
        await until(lambda: len(it.files()) == 2)
        await it.ask("POST", CALLS, json={"roomToken": wire.ROOM, "audioConsent": True})
        it.streams[ALICE].say(Word("xylophone", 0.5, 0.9))
        await until(lambda: bool(it.feed.snapshot().interims))
        seq = it.feed.seq
        before = {path.read_bytes() for path in it.files()}

        status, erased = await it.ask("DELETE", TRANSCRIPTS, params={"person": "alice"})
        assert (status, erased) == (200, {"utterances": 1})

        told = msgspec.json.encode([it.feed.snapshot(), await it.feed.read(0)])
        assert b"xylophone" not in told
        assert b"Ackermann" not in told
        assert b"zeppelin" in told
        taken_back = await it.feed.read(seq)
        assert isinstance(taken_back, list)
        assert {getattr(each.event, "text", None) for each in taken_back} == {""}
        _, found = await it.ask("GET", TRANSCRIPTS, params={"query": "xylophone"})
        assert found["transcripts"] == []
        on_disk = it.bytes_kept()
        assert b"xylophone" not in on_disk
        assert b"Ackermann" not in on_disk
        assert b"zeppelin" in on_disk
        (left,) = [data for data in before if data in {p.read_bytes() for p in it.files()}]
        assert len(before) == 2
        assert left.startswith(b"OggS")

        it.streams[ALICE].say(Pause())
        await it.say(ALICE, "later words")
        await _written(it, "later words")
        assert b"xylophone" not in it.bytes_kept()
    assert b"xylophone" not in it.bytes_kept()
    assert b"zeppelin" in it.bytes_kept()


@pytest.mark.parametrize("by", ["room", "transcript"])
async def test_a_call_can_be_erased_while_it_goes_on(tmp_path: Path, by: str) -> None:
    """Nothing stays, and nothing comes. Spec: transcripts-of-calls/Erase."""
    async with world(tmp_path, transcripts="on", audio="consent") as it:
        await it.begin(ALICE, audioConsent=True)
        await it.say(ALICE, "xylophone secrets")
        await _written(it, "xylophone secrets")
        (kept,) = await it.kept()
        if by == "room":
            answer = await it.ask("DELETE", TRANSCRIPTS, params={"room": wire.ROOM})
        else:
            answer = await it.ask("DELETE", f"{TRANSCRIPTS}/{kept.head.id}")
        assert answer == (200, {"transcripts": 1})
        assert it.feed.snapshot().finals == ()
        await it.say(ALICE, "quokka things")
        await it.end()
    on_disk = it.bytes_kept()
    assert b"xylophone" not in on_disk
    assert b"quokka" not in on_disk
    assert it.files() == []
