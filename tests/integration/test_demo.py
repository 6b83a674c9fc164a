"""The demo on real sockets: its server, its media, and the command itself."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import numpy as np
import pytest

from livebot.app import App
from livebot.audio.pcm import Samples
from livebot.demo.client import IN_CALL, Client, Heard, join
from livebot.demo.loopback import ADDRESS, loopback_only
from livebot.demo.main import ROOM as DEMO
from livebot.demo.main import _demo, _folder, _settings
from livebot.demo.participants import Participant, join_with_microphone
from livebot.demo.screen import JsonScreen
from livebot.demo.server import DemoServer
from livebot.demo.speech import CALL_RATE_HZ, PARTICIPANTS, programme
from livebot.demo.talk import Talk
from livebot.errors import ConfigError, LivebotError, SignalingError
from livebot.ids import RoomToken, SessionId
from livebot.media.peer import Peer, open_peer
from livebot.rooms.talk import FixedTalkSettings
from livebot.signaling.client import SignalingClient
from livebot.signaling.events import CallChanged, Offered, SignalingEvent
from livebot.stt import registry
from tests.support.scripted_engine import ScriptedEngine, ScriptedStream, words
from tests.support.waiting import until
from tests.support.wer import total, wer

SECRET = "the secret of the demo"
ROOM = RoomToken("room")
PROGRAMME = programme()


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


@asynccontextmanager
async def bot_connection(server: DemoServer) -> AsyncIterator[Peer]:
    """Let the bot's own signaling client and peer subscribe to the first speaker."""
    events: asyncio.Queue[SignalingEvent] = asyncio.Queue()
    client = SignalingClient(
        find_url=FixedTalkSettings(server.signaling_url).hpb_url,
        room=ROOM,
        secret=SECRET,
        backend="http://127.0.0.1",
        on_event=events.put_nowait,
    )
    async with asyncio.TaskGroup() as group, open_peer(()) as peer:
        group.create_task(client.run())
        while not isinstance(event := await events.get(), Offered):
            for state in event.states if isinstance(event, CallChanged) else ():
                if state.speaks:
                    client.subscribe(state.session)
        answer = await peer.answer(event.sdp)
        client.answer(event.session, sid=event.sid, sdp=answer)
        yield peer
        await client.leave()


def _sine(pitch_hz: float) -> Samples:
    """Return one second of a tone."""
    time = np.arange(CALL_RATE_HZ) / CALL_RATE_HZ
    return (0.5 * np.sin(2 * np.pi * pitch_hz * time)).astype(np.float32)


async def heard(peer: Peer, speaker: Participant, said: Samples) -> Samples:
    """Return what the peer receives while the speaker says something, and shortly after."""
    received = []
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        saying = group.create_task(speaker.say(said))
        frames_after = 15
        while frames_after:
            frame = await peer.receive()
            assert frame is not None
            received.append(frame.samples)
            frames_after -= saying.done()
    return np.concatenate(received)


async def test_bot_hears_exactly_what_a_participant_says() -> None:
    """A sine goes through two peer connections and comes out as loud and as high as it was."""
    sine = _sine(440)
    async with (
        DemoServer(secret=SECRET) as server,
        join_with_microphone(server.signaling_url, room=ROOM, name="Ada") as ada,
        bot_connection(server) as peer,
    ):
        await server.listened(ada.session)
        received = await heard(peer, ada, sine)

    loud = received[np.abs(received) > 0.05]
    begin = int(np.flatnonzero(np.abs(received) > 0.05)[0])
    middle = received[begin + 4800 : begin + 4800 + 24_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert loud.size > 0.8 * 0.93 * sine.size
    assert np.argmax(spectrum) * CALL_RATE_HZ / middle.size == pytest.approx(440, abs=3)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


async def test_media_stays_on_loopback() -> None:
    """Every candidate of an offer is 127.0.0.1."""
    async with (
        DemoServer(secret=SECRET) as server,
        join_with_microphone(server.signaling_url, room=ROOM, name="Ada"),
        bot_connection(server) as peer,
    ):
        offer = str(peer._pc.remoteDescription.sdp)
        # aiortc leaves tasks behind when it is closed while it connects.
        assert await peer.receive()

    candidates = [line.split()[4] for line in offer.splitlines() if "a=candidate" in line]
    assert set(candidates) == {ADDRESS}


async def test_speaker_who_leaves_is_gone_for_the_bot() -> None:
    """The bot's connection ends with the speaker's, as on a real server."""
    async with (
        DemoServer(secret=SECRET) as server,
        join_with_microphone(server.signaling_url, room=ROOM, name="Ada") as ada,
        bot_connection(server) as peer,
        asyncio.timeout(20),
    ):
        assert await peer.receive()
        await ada._client.leave()
        while await peer.receive() is not None:
            pass

        await until(lambda: peer.has_ended)


async def test_page_and_its_parts_are_served() -> None:
    """All that the page loads is there, and it may load nothing from elsewhere."""
    async with DemoServer(secret=SECRET) as server, aiohttp.ClientSession() as http:
        for path in ("", "app.js", "captions.js", "signaling.js", "style.css"):
            async with http.get(server.page_url + path) as response:
                assert response.status == 200
                assert "default-src 'self'" in response.headers["Content-Security-Policy"]
                assert await response.text()


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_pages_of_other_sites_may_not_connect(origin: str) -> None:
    """A browser names the page's origin, and only the demo's own is let in."""
    async with DemoServer(secret=SECRET) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(server.signaling_url, headers={"Origin": origin})

    assert refused.value.status == 403


async def test_taken_port_is_explained() -> None:
    """The message says what to do."""
    async with DemoServer(secret=SECRET) as server:
        with pytest.raises(ConfigError, match="--port"):
            async with DemoServer(secret=SECRET, port=server.port):
                pass


async def test_participant_without_server_gets_a_signaling_error() -> None:
    """Not whatever the WebSocket library raises."""
    with pytest.raises(SignalingError):
        async with join("ws://127.0.0.1:1/spreed", room=ROOM, name="Ada", flags=IN_CALL):
            pass


@dataclass(frozen=True, slots=True)
class _Call:
    """The demo's call, whose speaker says what the test wants."""

    url: str
    bot: str
    stream: ScriptedStream
    viewer: Client
    ada: SessionId

    @asynccontextmanager
    async def joined(self, name: str, *, reads: bool = True) -> AsyncIterator[Client]:
        """Let somebody else join."""
        async with join(self.url, room=DEMO, name=name, flags=IN_CALL) as client:
            if reads:
                await client.want_captions()
            yield client

    async def say(self, text: str, start: float) -> None:
        """Say something, and wait until the viewer has read it."""
        self.stream.say(*words(text, start))
        while (await _next(self.viewer)).text != text:
            pass

    async def read_by(self, number: int) -> None:
        """Wait until the bot knows of so many readers."""
        async with asyncio.timeout(10), aiohttp.ClientSession() as http:
            while True:
                async with http.get(self.bot) as response:
                    (room,) = (await response.json())["rooms"]
                if room["readers"] == number:
                    return
                await asyncio.sleep(0.05)


async def _next(client: Client) -> Heard:
    """Return the next complete caption of somebody."""
    async with asyncio.timeout(10):
        while (heard := await client.heard.get()) is not None:
            if heard.final:
                return heard
    raise AssertionError("the bot has left")


@asynccontextmanager
async def _scripted_call(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Call]:
    """Run the demo's call with the real bot and an engine that hears what the test says."""
    engine = ScriptedEngine()
    monkeypatch.setattr(registry, "load", lambda *_: engine)
    problems: list[str] = []
    async with DemoServer(secret=SECRET) as server, AsyncExitStack() as stack:
        folder = await stack.enter_async_context(_folder())
        settings = await asyncio.to_thread(_settings, server, SECRET, folder)
        app = await stack.enter_async_context(App(settings))
        talk = Talk(server, app.port, room=DEMO, language="en", on_problem=problems.append)
        url = server.signaling_url
        async with (
            join(url, room=DEMO, name="Viewer", flags=IN_CALL) as viewer,
            join_with_microphone(url, room=DEMO, name="Ada") as ada,
            asyncio.TaskGroup() as group,
        ):
            await viewer.want_captions()
            await talk.begin()
            asking = group.create_task(talk.run())
            # The engine gets a stream when somebody makes a sound.
            humming = group.create_task(ada.say(np.tile(_sine(440), 60)))
            bot = f"http://127.0.0.1:{app.port}/api/v1/call/transcribe"
            yield _Call(url, bot, await engine.stream(), viewer, ada.session)
            asking.cancel()
            humming.cancel()
    assert not problems


async def test_late_reader_gets_first_what_was_said_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In order and marked, then what is said now; who was there gets nothing twice.

    Spec: command-line/Captions in the demo.
    """
    async with _scripted_call(monkeypatch) as call:
        await call.say("First sentence.", 0.0)
        await call.say("Second sentence.", 2.0)
        async with call.joined("Late") as late:
            before = [await _next(late), await _next(late)]
            await call.say("Third sentence.", 4.0)
            now = await _next(late)

        assert [(heard.text, heard.history) for heard in (*before, now)] == [
            ("First sentence.", True),
            ("Second sentence.", True),
            ("Third sentence.", False),
        ]
        assert {heard.speaker for heard in before} == {"Ada"}
        assert [heard.start for heard in before] == sorted(heard.start or 0.0 for heard in before)
        assert call.viewer.heard.empty()


async def test_captions_are_for_those_who_want_them_while_they_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Off, nothing comes; on again, what was missed comes first; who never asked gets nothing.

    Spec: command-line/Captions in the demo.
    """
    async with (
        _scripted_call(monkeypatch) as call,
        call.joined("Reader") as reader,
        call.joined("Other", reads=False) as other,
    ):
        await call.read_by(2)
        await call.say("One.", 0.0)
        assert (await _next(reader)).text == "One."

        await reader.want_captions(enable=False)
        await call.read_by(1)
        await call.say("Two.", 2.0)
        assert reader.heard.empty()

        await reader.want_captions()
        await call.read_by(2)
        missed = await _next(reader)
        assert (missed.text, missed.history) == ("Two.", True)
        await call.say("Three.", 4.0)
        assert [(await _next(reader)).text] == ["Three."]
        assert other.heard.empty()

    async with _scripted_call(monkeypatch) as call:
        async with call.joined("Reader"):
            await call.read_by(2)
        await call.read_by(1)


async def test_demo_without_captions_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody's words arrive, the demo says whose, instead of ending well."""
    monkeypatch.setattr(registry, "load", lambda *_: ScriptedEngine())
    turns = [turn for turn in PROGRAMME if turn.recording.id == "ls_7902"]

    nobody = pytest.RaisesExc(LivebotError, match="no captions of Ada and Grace")
    with pytest.RaisesGroup(nobody, flatten_subgroups=True):
        await _demo(JsonScreen(), turns, once=True, host="127.0.0.1", port=0)


@pytest.mark.timeout(150)
async def test_demo_once_as_json_captions_both_speakers() -> None:
    """The command plays the speech, prints its captions as JSON and nothing else, exits 0."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "livebot", "demo", "--once", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()

    assert process.returncode == 0, err.decode()
    captions = [json.loads(line) for line in out.decode().splitlines()]
    results = []
    for name in PARTICIPANTS:
        said = " ".join(turn.recording.text for turn in PROGRAMME if turn.who == name)
        shown = " ".join(c["text"] for c in captions if c["speaker"] == name and c["final"])
        results.append(wer(said, shown))
    print(total(results))  # noqa: T201 - a figure for whoever runs it
    assert total(results).rate < 0.2
    for caption in captions:
        assert caption.keys() == {"speaker", "text", "final", "start", "end", "language"}
        assert 0 <= caption["start"] < caption["end"]
        assert caption["language"] == "en"


@pytest.mark.timeout(150)
async def test_demo_ends_quietly_when_nobody_reads_its_output() -> None:
    """As with `livebot demo --once --json | head -1`. Spec: command-line/Exit codes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "livebot", "demo", "--once", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = await process.stdout.readline()
    process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
    _, err = await process.communicate()

    assert json.loads(first)["final"]
    assert process.returncode == 1
    assert b"Traceback" not in err
    assert b"Broken pipe" not in err
