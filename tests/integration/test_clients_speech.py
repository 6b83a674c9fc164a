"""Clients of other services hear real speech by the embedded model, live and unchanged."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
from openai import AsyncOpenAI

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.audio.pcm import RATE_HZ
from livebot.feeds.directory import Feeds
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from livebot.stt.engines.local import LocalEngine
from tests.support.fake_rooms import FakeRooms
from tests.support.recorded_speech import FOLDER, Recording, recording
from tests.support.wer import wer

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings(
        # Deepgram's client uses an older interface of websockets'.
        "ignore:.*(websockets|remove second argument):DeprecationWarning"
    ),
]

KEY = "0123456789abcdef"
PIECE_S = 0.1

DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"


@pytest.fixture
def settings() -> Settings:
    """Return the settings of a service with a key; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=f"ops:{KEY}")


@pytest.fixture
def spoken() -> Recording:
    """Return what is said."""
    return recording("ls_7902")


@pytest.fixture
async def port(settings: Settings) -> AsyncIterator[int]:
    """Serve the API with real live sessions and a real engine."""
    feeds, metrics = Feeds(), Metrics()
    async with (
        LocalEngine({"workers": "1"}) as engine,
        LiveSessions(settings, engine=engine, feeds=feeds, store=None, metrics=metrics) as live,
    ):
        services = Services(feeds=feeds, live=live)
        app = make_app({"default": FakeRooms()}, settings, metrics, services=services)
        async with serve(app, Bind("127.0.0.1", 0)) as found:
            yield found


def pieces(spoken: Recording) -> list[bytes]:
    """Return the audio as it comes from a microphone, as 16-bit samples at 24 kHz."""
    samples = (spoken.audio * 32767).astype("<i2")
    size = round(PIECE_S * RATE_HZ)
    return [piece.tobytes() for piece in np.split(samples, range(size, len(samples), size))]


async def test_deepgram(port: int, spoken: Recording) -> None:
    """Interims, then all that was said. Spec: compatible-clients/Live in Deepgram's form."""
    here = f"127.0.0.1:{port}"
    environment = DeepgramClientEnvironment(
        base=f"http://{here}", production=f"ws://{here}", agent="", agent_rest=""
    )
    client = AsyncDeepgramClient(api_key=KEY, environment=environment)
    asked: dict[str, Any] = {"encoding": "linear16", "sample_rate": RATE_HZ, "language": "en"}
    async with client.listen.v1.connect(
        model="nova-3", interim_results="true", **asked
    ) as listening:

        async def speak() -> None:
            for piece in pieces(spoken):
                await listening.send_media(piece)
                await asyncio.sleep(PIECE_S / 2)
            await listening.send_close_stream()

        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            told = [message async for message in listening]

    results = [each for each in told if each.type == "Results"]
    interims = [each for each in results if not each.is_final]
    finals = [each for each in results if each.is_final]
    assert len(interims) > 1
    text = " ".join(each.channel.alternatives[0].transcript for each in finals)
    assert wer(spoken.text, text).rate < 0.2
    words = [word for each in finals for word in each.channel.alternatives[0].words]
    assert " ".join(word.punctuated_word for word in words) == text
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    assert told[-1].type == "Metadata"
    assert told[-1].duration == pytest.approx(len(spoken.audio) / RATE_HZ, abs=0.2)


async def test_openai(port: int, spoken: Recording) -> None:
    """Deltas, joined the transcript. Spec: compatible-clients/Live in OpenAI's form."""
    deltas: dict[str, list[str]] = {}
    transcripts: dict[str, str] = {}
    async with (
        AsyncOpenAI(api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        transcription = {"model": "gpt-4o-transcribe", "language": "en"}
        session: Any = {
            "type": "transcription",
            "audio": {"input": {"transcription": transcription, "turn_detection": None}},
        }
        await connection.session.update(session=session)

        async def speak() -> None:
            for piece in pieces(spoken):
                await connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
                await asyncio.sleep(PIECE_S / 2)
            await connection.input_audio_buffer.commit()

        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            event: Any
            async for event in connection:
                if event.type == DELTA:
                    deltas.setdefault(event.item_id, []).append(event.delta or "")
                elif event.type == COMPLETED:
                    transcripts[event.item_id] = event.transcript
                    break

    assert {item: "".join(parts) for item, parts in deltas.items()} == transcripts
    (text,) = transcripts.values()
    assert wer(spoken.text, text).rate < 0.2


async def test_deepgram_with_a_file(port: int, spoken: Recording) -> None:
    """Without `encoding`, the audio says itself what it is."""
    here = f"127.0.0.1:{port}"
    environment = DeepgramClientEnvironment(
        base=f"http://{here}", production=f"ws://{here}", agent="", agent_rest=""
    )
    data = await asyncio.to_thread((FOLDER / "ls_7902.wav").read_bytes)
    client = AsyncDeepgramClient(api_key=KEY, environment=environment)
    async with client.listen.v1.connect(model="nova-3", language="en") as listening:

        async def send() -> None:
            for begin in range(0, len(data), 4096):
                await listening.send_media(data[begin : begin + 4096])
            await listening.send_close_stream()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            told = [message async for message in listening]

    finals = [each for each in told if each.type == "Results" and each.is_final]
    text = " ".join(each.channel.alternatives[0].transcript for each in finals)
    assert wer(spoken.text, text).rate < 0.2
