"""Transcripts and links over the API, with a real database and rooms that have no calls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pysubs2
import pytest

from livebot.api.downloads import attachment, name_of
from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.metrics import Metrics
from livebot.rooms.keeping import Erasure
from livebot.settings import Bind, load_settings
from livebot.store import Store
from livebot.store.records import Kind, LiveRecord, StoredTranscript
from tests.support.asking import bearer
from tests.support.fake_rooms import FakeRooms
from tests.support.kept import gap, head, new_id, utterance

OPS, OTHER, OF_A, OF_B = (16 * letter for letter in "oxab")
PATH, LINKS = "/api/v1/transcripts", "/api/v1/shares"
ROOM = "abcd1234"


@dataclass
class World:
    """The API and what is behind it."""

    session: aiohttp.ClientSession
    store: Store
    rooms: dict[str, FakeRooms]
    folder: Path

    async def ask(
        self, method: str, path: str, key: str = OPS, **more: Any
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Return status, body and answer."""
        headers = (bearer(key) if key else {}) | more.pop("headers", {})
        async with self.session.request(method, path, headers=headers, **more) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json else text, answer

    async def keep(self, *texts: str, **given: Any) -> str:
        """Keep a transcript; return its id."""
        whose = {"speaker": "Alice", "person": "alice", "language": "en"}
        said = tuple(utterance(text, 2.0 * at, **whose) for at, text in enumerate(texts))
        its = head(**{"owner": "ops", "title": "Team: weekly/2", "duration": 60.0} | given)
        await self.store.transcripts.complete(StoredTranscript(its, said, (gap(50.0),)))
        return its.id


@asynccontextmanager
async def world(
    folder: Path, *, several: bool = False, is_kept: bool = True
) -> AsyncIterator[World]:
    """Serve the API."""
    given: dict[str, Any] = {"host": "127.0.0.1", "api_keys": f"ops:{OPS},other:{OTHER}"}
    if several:
        given["backends"] = json.dumps(
            [
                {"name": name, "NEXTCLOUD_URL": f"http://{name}", "LT_API_KEYS": f"{name}:{key}"}
                for name, key in (("a", OF_A), ("b", OF_B))
            ]
        )
    settings = await asyncio.to_thread(lambda: load_settings(**given))
    rooms = {name: FakeRooms() for name in settings.per_backend()}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(folder, metrics=Metrics()))
        services = Services(store=store if is_kept else None, why="says the test")
        app = make_app(rooms, settings, Metrics(), services=services)
        port = await stack.enter_async_context(serve(app, Bind("127.0.0.1", 0)))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(f"http://127.0.0.1:{port}")
        )
        yield World(session, store, rooms, folder)


async def test_transcripts_are_listed_searched_and_paged(tmp_path: Path) -> None:
    """Newest first, each once, with what was searched for. Spec: transcripts-of-calls/API."""
    async with world(tmp_path) as it:
        idents = [await it.keep(f"number {at} of five", started_at=1000.0 + at) for at in range(5)]
        found: list[str] = []
        cursor = ""
        for _ in range(3):
            _, page, _ = await it.ask("GET", PATH, params={"limit": "2", "cursor": cursor})
            found += [each["id"] for each in page["transcripts"]]
            cursor = page["cursor"]
        assert found == idents[::-1]
        assert cursor == ""

        _, page, answer = await it.ask("GET", PATH, params={"query": "NUMBER 3"})
        assert [(each["id"], each["text"]) for each in page["transcripts"]] == [
            (idents[3], "number 3 of five")
        ]
        assert answer.headers["Cache-Control"] == "no-store"
        assert page["transcripts"][0]["started_at"] == 1003.0
        _, page, _ = await it.ask("GET", PATH, params={"person": "bob"})
        assert page["transcripts"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "x"},
        {"limit": "1001"},
        {"kind": "talk"},
        {"cursor": "nonsense"},
        {"person": "\0"},
        {"room": "\0"},
    ],
)
async def test_what_cannot_be_asked_for_is_said(tmp_path: Path, query: dict[str, str]) -> None:
    """A request that is wrong is refused."""
    async with world(tmp_path) as it:
        status, body, _ = await it.ask("GET", PATH, params=query)
        assert (status, [*body]) == (400, ["error"])


async def test_a_transcript_is_given_out_in_every_form(tmp_path: Path) -> None:
    """All with the same words; files have a name. Spec: transcripts-of-calls/API."""
    async with world(tmp_path) as it:
        ident = await it.keep("Hello there.", "How are you?")
        status, whole, _ = await it.ask("GET", f"{PATH}/{ident}", params={"words": "true"})
        assert status == 200
        assert [each["text"] for each in whole["utterances"]] == ["Hello there.", "How are you?"]
        assert whole["utterances"][0]["words"][0] == {"text": "Hello", "start": 0.0, "end": 1.0}
        assert whole["utterances"][0]["person"] == "alice"
        assert whole["gaps"][0]["start"] == 50.0
        assert whole["transcript"]["title"] == "Team: weekly/2"

        for form in ("txt", "srt", "vtt", "json", "md", "tsv"):
            status, body, answer = await it.ask("GET", f"{PATH}/{ident}", params={"format": form})
            assert status == 200
            shown = body["text"] if form == "json" else body
            assert "Hello there." in shown
            named = answer.headers["Content-Disposition"]
            assert named == (
                f'attachment; filename="Team weekly 2.{form}";'
                f" filename*=UTF-8''Team%20weekly%202.{form}"
            )
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            if form in {"srt", "vtt"}:
                cues = pysubs2.SSAFile.from_string(body, form)
                assert [cue.plaintext for cue in cues][-1].endswith("How are you?")
        status, body, _ = await it.ask("GET", f"{PATH}/{ident}", params={"format": "exe"})
        assert (status, "txt" in body["error"]) == (400, True)
        for wrong in (new_id(), "../../etc/passwd", "%00", "A" * 32):
            status, _, _ = await it.ask("GET", f"{PATH}/{wrong}")
            assert status == 404


async def test_nobody_reads_what_is_not_theirs(tmp_path: Path) -> None:
    """Calls by backend, everything else by key. Spec: transcripts-of-calls/API."""
    async with world(tmp_path, several=True) as it:
        call = await it.keep("call", kind=Kind.CALL, backend="a", room=ROOM)
        own = await it.keep("live", owner="ops")
        seen = {}
        for name, key in (("ops", OPS), ("other", OTHER), ("a", OF_A), ("b", OF_B)):
            _, page, _ = await it.ask("GET", PATH, key)
            seen[name] = {each["id"] for each in page["transcripts"]}
            for ident in (call, own):
                expected = 200 if ident in seen[name] else 404
                for path in (f"{PATH}/{ident}", f"{PATH}/{ident}/audio"):
                    status, _, _ = await it.ask("GET", path, key)
                    assert status == expected
        assert seen == {"ops": {call, own}, "other": {call}, "a": {call}, "b": set()}
        status, _, _ = await it.ask("DELETE", f"{PATH}/{call}", OF_B)
        assert status == 404
        _, erased, _ = await it.ask("DELETE", PATH, OF_B, params={"room": ROOM})
        assert erased == {"transcripts": 0}
        _, erased, _ = await it.ask("DELETE", PATH, params={"room": ROOM, "backend": "b"})
        assert erased == {"transcripts": 0}
        _, erased, _ = await it.ask("DELETE", PATH, params={"room": ROOM, "backend": "a"})
        assert erased == {"transcripts": 1}
        assert it.rooms["a"].forgotten[-1] == Erasure(room=ROOM)
        assert it.rooms["b"].forgotten[-1] == Erasure(room=ROOM)
        assert len(it.rooms["a"].forgotten) == 1
        status, _, _ = await it.ask("GET", PATH, key="")
        assert status == 401


async def test_erasing_says_how_much(tmp_path: Path) -> None:
    """By transcript, room or person; rooms that run are told first.

    Spec: transcripts-of-calls/Erase.
    """
    async with world(tmp_path) as it:
        first = await it.keep("one", "two", kind=Kind.CALL, backend="default", room=ROOM)
        await it.keep("three", kind=Kind.CALL, backend="default", room=ROOM)

        assert (await it.ask("DELETE", PATH, params={"person": "alice"}))[1] == {"utterances": 3}
        assert (await it.ask("DELETE", f"{PATH}/{first}"))[1] == {"transcripts": 1}
        assert (await it.ask("DELETE", f"{PATH}/{first}"))[0] == 404
        assert (await it.ask("DELETE", PATH, params={"room": ROOM}))[1] == {"transcripts": 1}
        assert it.rooms["default"].forgotten == [
            Erasure(person="alice"),
            Erasure(transcript=first),
            Erasure(transcript=first),
            Erasure(room=ROOM),
        ]
        # Guests call themselves as they like.
        for name in ("guest:👩\u200d👧", "guest:", "guest:\u202eevil\n", "alice@cloud.example"):
            answer = await it.ask("DELETE", PATH, params={"person": name})
            assert answer[:2] == (200, {"utterances": 0})
        told = len(it.rooms["default"].forgotten)
        wrong: list[tuple[dict[str, str], str]] = [
            ({}, "?room="),
            ({"room": ROOM, "person": "a"}, "?room="),
            ({"person": ""}, "?room="),
            ({"person": "a" * 513}, "person"),
            ({"person": "\0"}, "person"),
            ({"person": " "}, "person"),
            ({"room": "\0"}, "roomToken"),
            ({"room": "../x"}, "roomToken"),
        ]
        for query, said in wrong:
            status, body, _ = await it.ask("DELETE", PATH, params=query)
            assert (status, said in body["error"]) == (400, True)
        assert len(it.rooms["default"].forgotten) == told


async def test_audio_is_listed_and_fetched(tmp_path: Path) -> None:
    """To who has a key, to be kept and not to be run. Spec: transcripts-of-calls/API."""
    async with world(tmp_path) as it:
        ident = await it.keep("hello", audio=True)
        for at, name in enumerate(("1.ogg", "2.html")):
            (it.store.audio.folder / name).write_bytes(b"OggS" + bytes([at]))
            await it.store.audio.add(ident, person="alice", start=30.0 * at, end=60.0, name=name)
        _, listed, _ = await it.ask("GET", f"{PATH}/{ident}/audio")
        assert listed["audio"][0] == {"number": 0, "start": 0.0, "end": 60.0, "person": "alice"}

        kinds = {}
        for number in (0, 1):
            status, body, answer = await it.ask("GET", f"{PATH}/{ident}/audio/{number}")
            assert (status, body) == (200, "OggS" + chr(number))
            kinds[number] = answer.content_type
            assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert kinds == {0: "audio/ogg", 1: "application/octet-stream"}
        for wrong in ("2", "-1", "x", "0" * 20):
            status, _, _ = await it.ask("GET", f"{PATH}/{ident}/audio/{wrong}")
            assert status == 404
        (it.store.audio.folder / "1.ogg").unlink()
        assert (await it.ask("GET", f"{PATH}/{ident}/audio/0"))[0] == 404

        _, made, _ = await it.ask(
            "POST", LINKS, json={"kind": "transcript", "target": ident, "expires_in_s": 60}
        )
        by_link = {"Livebot-Share": made["token"]}
        status, _, _ = await it.ask("GET", f"{PATH}/{ident}/audio/1", "", headers=by_link)
        assert status == 401


async def test_a_link_opens_what_it_is_of_and_nothing_else(tmp_path: Path) -> None:
    """Until it expires or is withdrawn; it tells no accounts. Spec: transcripts-of-calls/Links."""
    async with world(tmp_path) as it:
        one, other = await it.keep("one"), await it.keep("other")
        _, made, answer = await it.ask("POST", LINKS, json={"kind": "transcript", "target": one})
        by_link = {"Livebot-Share": made["token"]}
        assert len(made["token"]) >= 43
        assert answer.headers["Cache-Control"] == "no-store"

        status, found, _ = await it.ask("GET", f"{PATH}/{one}", "", headers=by_link)
        assert (status, found["utterances"][0]["text"]) == (200, "one")
        assert "person" not in found["utterances"][0]
        status, body, _ = await it.ask(
            "GET", f"{PATH}/{one}", "", params={"share": made["token"], "format": "txt"}
        )
        assert (status, "one" in body) == (200, True)
        assert (await it.ask("GET", f"{PATH}/{other}", "", headers=by_link))[0] == 404
        for method, path in (
            ("GET", PATH),
            ("DELETE", f"{PATH}/{one}"),
            ("GET", LINKS),
            ("POST", LINKS),
        ):
            assert (await it.ask(method, path, "", headers=by_link))[0] == 401

        _, listed, _ = await it.ask("GET", LINKS)
        assert [(each["id"], each["target"]) for each in listed["shares"]] == [(made["id"], one)]
        assert made["token"] not in json.dumps(listed)
        assert (await it.ask("GET", LINKS, OTHER))[1] == {"shares": []}
        assert (await it.ask("DELETE", f"{LINKS}/{made['id']}", OTHER))[0] == 404
        assert (await it.ask("DELETE", f"{LINKS}/{made['id']}"))[0] == 200
        assert (await it.ask("DELETE", f"{LINKS}/{made['id']}"))[0] == 404
        assert (await it.ask("GET", f"{PATH}/{one}", "", headers=by_link))[0] == 401


async def test_links_are_made_by_who_may_see_what_they_are_of(tmp_path: Path) -> None:
    """A room of one's backend, one's own live session. Spec: transcripts-of-calls/Links."""
    async with world(tmp_path, several=True) as it:
        session = new_id()
        await it.store.live.open(LiveRecord(id=session, owner="ops", epoch=0.0, options="{}"))
        call = await it.keep("call", kind=Kind.CALL, backend="a", room=ROOM)

        async def made(key: str, **wanted: object) -> tuple[int, str]:
            status, body, _ = await it.ask("POST", LINKS, key, json=wanted)
            return status, body.get("target", "")

        assert await made(OF_A, kind="room", target=ROOM) == (200, f"a/{ROOM}")
        assert await made(OPS, kind="room", target=f"b/{ROOM}") == (200, f"b/{ROOM}")
        assert await made(OF_A, kind="room", target=f"b/{ROOM}") == (400, "")
        assert await made(OPS, kind="room", target=ROOM) == (400, "")
        assert await made(OPS, kind="live", target=session) == (200, session)
        assert await made(OTHER, kind="live", target=session) == (404, "")
        assert await made(OF_B, kind="transcript", target=call) == (404, "")
        assert await made(OF_A, kind="transcript", target=call) == (200, call)
        for wrong in (
            {"kind": "job", "target": call},
            {"kind": "room", "target": "../x"},
            {"kind": "room", "target": ""},
            {"kind": "transcript", "target": "x"},
            {"kind": "room", "target": f"a/{ROOM}", "expires_in_s": 59},
            {"kind": "room", "target": f"a/{ROOM}", "expires_in_s": 31 * 86400},
            {"kind": "room", "target": f"a/{ROOM}", "expires_in_s": "1"},
        ):
            assert (await made(OPS, **wrong))[0] in {400, 404}
        status, _, _ = await it.ask("POST", LINKS, data="x", headers={"Content-Type": "text/html"})
        assert status == 400
        headers = {"Content-Type": "application/json"}
        assert (await it.ask("POST", LINKS, data="{", headers=headers))[0] == 400


async def test_where_nothing_is_kept_it_says_why(tmp_path: Path) -> None:
    """And what is not there is not there."""
    async with world(tmp_path, is_kept=False) as it:
        status, body, _ = await it.ask("GET", PATH)
        assert (status, "says the test" in body["error"]) == (503, True)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Team: weekly/2", "Team weekly 2"),
        ('"; filename="evil.exe', "; filename= evil.exe"),
        ("../../etc/passwd", "etc passwd"),
        ("\r\nX-Header: 1", "X-Header 1"),
        ("会議", "会議"),
        ("\u202egpj.exe", "gpj.exe"),
        ("...", "transcript"),
        ("\ud800", "transcript"),
        ("x" * 500, "x" * 100),
    ],
)
def test_names_of_files_are_harmless(title: str, name: str) -> None:
    """Whatever a title is. Spec: transcripts-of-calls/API."""
    assert name_of(title) == name
    header = attachment(name_of(title) + ".txt")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
