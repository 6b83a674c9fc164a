"""OpenAI's own client transcribes live, unchanged, against the service."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.errors import BusyError
from livebot.live.clients import End
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from tests.support.fake_live import WORDS, FakeLive, FakeSession
from tests.support.fake_rooms import FakeRooms

KEY = "0123456789abcdef"
ANYWHERE = Bind("127.0.0.1", 0)
PIECE = base64.b64encode(bytes(4800)).decode()
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"


@pytest.fixture
def settings() -> Settings:
    """Return the settings of a service with a key; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=f"ops:{KEY}")


@pytest.fixture
def live() -> FakeLive:
    """Return live sessions without an engine."""
    return FakeLive()


@pytest.fixture
async def port(settings: Settings, live: FakeLive) -> AsyncIterator[int]:
    """Serve the API."""
    services = Services(live=cast("LiveSessions", live))
    app = make_app({"default": FakeRooms()}, settings, Metrics(), services=services)
    async with serve(app, ANYWHERE) as found:
        yield found


@pytest.fixture
async def client(port: int) -> AsyncIterator[AsyncOpenAI]:
    """Return OpenAI's client, told of nothing but another address."""
    async with AsyncOpenAI(api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1") as found:
        yield found


def config(**given: Any) -> Any:
    """Return a transcription session."""
    transcription = {"model": "gpt-4o-transcribe", "language": "en"}
    return {
        "type": "transcription",
        "audio": {"input": {"transcription": transcription, **given}},
    }


async def until(connection: AsyncRealtimeConnection, kind: str) -> list[Any]:
    """Return what is told up to a kind of event."""
    told: list[Any] = []
    async with asyncio.timeout(10):
        while not told or told[-1].type != kind:
            told.append(await connection.recv())
    return told


async def test_deltas_and_completed(client: AsyncOpenAI, live: FakeLive) -> None:
    """What becomes certain is told at once. Spec: compatible-clients/Live in OpenAI's form."""
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        (created,) = await until(connection, "session.created")
        await connection.session.update(session=config())
        (updated,) = await until(connection, "session.updated")
        for _ in WORDS:
            await connection.input_audio_buffer.append(audio=PIECE)
        told = await until(connection, DELTA)
        await connection.input_audio_buffer.commit()
        told += await until(connection, COMPLETED)

    assert created.session.type == "transcription"
    assert updated.session.audio.input.transcription.language == "en"
    deltas = [each.delta for each in told if each.type == DELTA]
    assert len(deltas) >= len(WORDS) - 1
    assert "".join(deltas) == told[-1].transcript == " ".join(WORDS)
    kinds = list(dict.fromkeys(each.type for each in told))
    assert set(kinds) == {
        "input_audio_buffer.speech_started",
        "conversation.item.added",
        DELTA,
        "input_audio_buffer.committed",
        COMPLETED,
    }
    assert len({each.item_id for each in told if each.type == DELTA}) == 1
    assert len({each.event_id for each in told}) == len(told)
    (session,) = live.sessions
    assert (session.options.encoding, session.options.rate_hz) == ("pcm_s16le", 24_000)
    assert (session.options.language, live.owners) == ("en", ["ops"])
    assert session.feed.is_closed


async def test_utterances_without_a_commit(client: AsyncOpenAI, live: FakeLive) -> None:
    """Where the service finds out that an utterance is over, it is an item of its own."""
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.recv()
        for _ in range(2):
            await connection.input_audio_buffer.append(audio=PIECE)
            await until(connection, "input_audio_buffer.speech_started")
            await live.sessions[0].finalize()
            told = await until(connection, "conversation.item.done")
            assert [each.type for each in told] == [
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                DELTA,
                COMPLETED,
                "conversation.item.done",
            ]


async def test_commits_without_turn_detection(client: AsyncOpenAI) -> None:
    """Each commit is one item with all that was said since the one before."""
    transcripts = []
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session=config(turn_detection=None))
        for _ in range(2):
            for _ in range(3):
                await connection.input_audio_buffer.append(audio=PIECE)
            await connection.input_audio_buffer.commit()
            told = await until(connection, COMPLETED)
            kinds = [each.type for each in told]
            assert not [each for each in kinds if "speech" in each]
            transcripts.append(told[-1].transcript)
            assert told[-1].usage.seconds == pytest.approx(0.3)

    assert " ".join(transcripts) == " ".join(WORDS[:6])


async def test_cleared_audio_is_not_told(client: AsyncOpenAI) -> None:
    """What was said before is in no item."""
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session=config(turn_detection=None))
        await connection.input_audio_buffer.append(audio=PIECE)
        await connection.input_audio_buffer.clear()
        await until(connection, "input_audio_buffer.cleared")
        await connection.input_audio_buffer.append(audio=PIECE)
        await connection.input_audio_buffer.commit()
        told = await until(connection, COMPLETED)

    assert told[-1].transcript == WORDS[1]


async def test_only_transcription(client: AsyncOpenAI) -> None:
    """What needs more is an error, and the conversation goes on."""
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.recv()
        await connection.response.create(event_id="mine")
        error = (await until(connection, "error"))[-1].error
        assert (error.type, error.event_id) == ("invalid_request_error", "mine")
        await connection.session.update(session={"type": "realtime"})
        error = (await until(connection, "error"))[-1].error
        assert error.param == "session.type"
        await connection.input_audio_buffer.commit()
        error = (await until(connection, "error"))[-1].error
        assert error.code == "input_audio_buffer_commit_empty"
        await connection.input_audio_buffer.append(audio="not base64")
        error = (await until(connection, "error"))[-1].error
        assert error.param == "audio"
        await connection.input_audio_buffer.append(audio=PIECE)
        await connection.input_audio_buffer.commit()
        assert (await until(connection, COMPLETED))[-1].transcript == WORDS[0]


async def test_unknown_model(client: AsyncOpenAI) -> None:
    """It is refused before the connection is one."""
    with pytest.raises(Exception, match="404"):
        async with client.realtime.connect(model="parrot"):
            pass


async def test_wrong_key(port: int) -> None:
    """The guard decides."""
    base = f"http://127.0.0.1:{port}/v1"
    async with AsyncOpenAI(api_key="wrong", base_url=base) as stranger:
        with pytest.raises(Exception, match="401"):
            async with stranger.realtime.connect(model="gpt-realtime"):
                pass


async def test_busy(client: AsyncOpenAI, live: FakeLive) -> None:
    """A limit that is met with the first audio is an error, and the end."""
    live.fault = BusyError("there are 100 live sessions already")
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.input_audio_buffer.append(audio=PIECE)
        error = (await until(connection, "error"))[-1].error
        assert "100 live sessions" in error.message
        with pytest.raises(Exception, match="1011"):
            await connection.recv()


async def test_what_is_no_audio(client: AsyncOpenAI) -> None:
    """It is an error, and the end."""
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.input_audio_buffer.append(audio=base64.b64encode(b"!").decode())
        assert "decoded" in (await until(connection, "error"))[-1].error.message


async def test_the_older_form(port: int) -> None:
    """Clients that begin in it are told in it."""
    headers = {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "realtime=v1"}
    address = f"ws://127.0.0.1:{port}/v1/realtime?intent=transcription"
    update = {
        "type": "transcription_session.update",
        "session": {
            "input_audio_format": "g711_ulaw",
            "input_audio_transcription": {"model": "gpt-4o-mini-transcribe", "prompt": "x"},
            "turn_detection": None,
        },
    }
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(address, protocols=["realtime"]) as connection,
    ):
        assert connection.protocol == "realtime"
        assert (await connection.receive_json())["type"] == "transcription_session.created"
        await connection.send_json(update)
        updated = await connection.receive_json()
        await connection.send_json({"type": "input_audio_buffer.append", "audio": PIECE})
        await connection.send_json({"type": "input_audio_buffer.commit"})
        told: list[dict[str, Any]] = []
        async with asyncio.timeout(10):
            while not told or told[-1]["type"] != COMPLETED:
                told.append(json.loads((await connection.receive()).data))

    assert updated["type"] == "transcription_session.updated"
    assert updated["session"]["input_audio_format"] == "g711_ulaw"
    assert "conversation.item.created" in [each["type"] for each in told]
    assert told[-1]["transcript"] == WORDS[0]


async def test_a_binary_message_is_an_error(port: int) -> None:
    """Audio comes in JSON here."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"ws://127.0.0.1:{port}/v1/realtime") as connection,
    ):
        await connection.receive_json()
        await connection.send_bytes(b"abc")
        assert (await connection.receive_json())["error"]["code"] == "invalid_json"


async def begun(live: FakeLive) -> FakeSession:
    """Return the first session once it has heard something."""
    async with asyncio.timeout(10):
        while not (live.sessions and live.sessions[0].pieces):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return live.sessions[0]


async def test_a_client_that_is_gone(port: int, live: FakeLive) -> None:
    """Its session ends; others go on. Spec: compatible-clients/Whatever clients send."""
    headers = {"Authorization": f"Bearer {KEY}"}
    address = f"ws://127.0.0.1:{port}/v1/realtime"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(address) as connection,
        session.ws_connect(address) as other,
    ):
        await connection.send_json({"type": "input_audio_buffer.append", "audio": PIECE})
        mine = await begun(live)
        assert connection._response.connection is not None
        transport = connection._response.connection.transport
        assert transport is not None
        transport.abort()
        async with asyncio.timeout(10):
            while not mine.feed.is_closed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await other.receive_json())["type"] == "session.created"
        await other.send_json({"type": "session.update", "session": {}})
        assert (await other.receive_json())["type"] == "session.updated"


async def test_who_is_silent_stays(
    client: AsyncOpenAI, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session is told that it is there."""
    monkeypatch.setattr("livebot.api.realtime.ALIVE_S", 0.05)
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.input_audio_buffer.append(audio=PIECE)
        mine = await begun(live)
        async with asyncio.timeout(10):
            while mine.signs < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_who_sends_nothing_for_long_is_parted_with(
    client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may need the connection."""
    monkeypatch.setattr("livebot.api.realtime.SILENT_S", 0.2)
    async with client.realtime.connect(model="gpt-realtime") as connection:
        async with asyncio.timeout(10):
            told = [event.type async for event in connection]

    assert told == ["session.created"]


async def test_a_service_that_stops(client: AsyncOpenAI, live: FakeLive) -> None:
    """The last words are told; the code makes clients connect anew."""
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.input_audio_buffer.append(audio=PIECE)
        mine = await begun(live)
        mine.end.set_result(End.RESTART)
        await mine.finish()
        kinds = [event.type for event in await until(connection, "conversation.item.done")]
        with pytest.raises(Exception, match="1012"):
            await connection.recv()

    assert COMPLETED in kinds


async def test_last_words_that_never_come(
    client: AsyncOpenAI, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not waited for without end."""
    monkeypatch.setattr("livebot.api.sockets.FINISH_S", 0.1)
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.input_audio_buffer.append(audio=PIECE)
        mine = await begun(live)
        mine.hangs = True
    async with asyncio.timeout(10):
        while not mine.is_detached:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
