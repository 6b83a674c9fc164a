"""Live streams: each ends with one line that says how."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from livebot.daemon import streams
from livebot.daemon.answers import Answer
from livebot.daemon.faults import BROKEN
from livebot.daemon.requests import Audio, Close, Finish, Name, Open
from livebot.daemon.streams import TAKEN_EVERY, WINDOW, LiveStreams
from livebot.errors import EngineError
from tests.support.waiting import until
from tests.unit.daemon.fake_host import FakeHost

CHUNK = b"\0" * 19_200
SECOND = b"\0" * TAKEN_EVERY


async def _room() -> None:
    """Say that there is room."""


@dataclass(slots=True)
class Stage:
    """Streams of a host that does as it is told, and what was said."""

    group: asyncio.TaskGroup
    host: FakeHost = field(default_factory=FakeHost)
    said: list[Answer] = field(default_factory=list)
    streams: LiveStreams = field(init=False)

    def __post_init__(self) -> None:
        """Open it."""
        self.streams = LiveStreams(
            self.host,
            models={"fake", "other"},
            say=self.said.append,
            room=_room,
            group=self.group,
        )

    def kinds(self, name: Name = "a") -> list[str]:
        """Return what was said of a stream."""
        return [str(answer["type"]) for answer in self.said if answer["stream"] == name]

    async def open(self, name: Name = "a") -> None:
        """Open a stream and wait until it is."""
        self.streams.open(Open(name))
        await until(lambda: "opened" in self.kinds(name))


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """Set a stage; on leaving all streams must be over, with nothing of the host's open."""
    async with asyncio.TaskGroup() as group:
        stage = Stage(group)
        yield stage
    assert not stage.streams.tasks
    assert stage.host.open_streams == 0


async def test_words_come_back() -> None:
    """Several streams do not mix, in the language and by the model asked for.

    Spec: daemon/Live streams.
    """
    async with staged() as stage:
        stage.streams.open(Open("a", "de", "other"))
        stage.streams.open(Open(7))
        stage.streams.take(Audio("a", CHUNK))
        stage.streams.take(Audio(7, CHUNK[:400]))
        stage.streams.take(Finish("a"))
        stage.streams.take(Finish(7))

    assert stage.kinds() == stage.kinds(7) == ["opened", "tentative", "word", "pause", "done"]
    assert [answer["text"] for answer in stage.said if answer["type"] == "word"] == ["4800", "100"]
    assert stage.host.asked == [("de", "other"), ("", "")]


async def test_samples_arrive_as_they_were() -> None:
    """Little-endian float32; what is beyond full scale, or no number, does no harm."""
    sent = np.array([0.5, -1, 7, np.nan, np.inf], "<f4")
    heard: list[float] = []
    async with staged() as stage:
        await stage.open()
        take = stage.host.streams[0].send

        async def send(chunk: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
            heard.extend(chunk.tolist())
            await take(chunk)

        stage.host.streams[0].send = send  # type: ignore[method-assign]
        stage.streams.take(Audio("a", sent.tobytes()))
        stage.streams.take(Finish("a"))

    assert heard == [0.5, -1, 1, 0, 1]


async def test_what_is_taken_is_told_by_the_second() -> None:
    """Not more often."""
    async with staged() as stage:
        stage.streams.open(Open("a"))
        for _ in range(12):
            stage.streams.take(Audio("a", CHUNK))
        stage.streams.take(Finish("a"))

    taken = [answer["bytes"] for answer in stage.said if answer["type"] == "taken"]
    assert taken == [TAKEN_EVERY, TAKEN_EVERY]


async def test_too_much_at_once_ends_a_stream() -> None:
    """A whole window may wait; its neighbour goes on.

    Spec: daemon/Live streams.
    """
    async with staged() as stage:
        await stage.open("b")
        await stage.open()
        stage.host.streams[1].is_taking.clear()
        for _ in range(WINDOW // len(SECOND)):
            stage.streams.take(Audio("a", SECOND))
        await asyncio.sleep(0)
        assert stage.kinds() == ["opened"]
        stage.streams.take(Audio("a", b"\0" * 4))
        await until(lambda: stage.kinds()[-1] == "error")
        stage.streams.take(Finish("b"))

    (error,) = [answer["error"] for answer in stage.said if answer["type"] == "error"]
    assert "heed what is taken" in error
    assert stage.kinds("b")[-1] == "done"


async def test_who_heeds_what_is_taken_may_send_for_hours() -> None:
    """The window moves."""
    async with staged() as stage:
        await stage.open()
        for seconds in range(1, 101):
            stage.streams.take(Audio("a", SECOND))
            while stage.kinds().count("taken") < seconds:  # noqa: ASYNC110 - a hundred times
                await asyncio.sleep(0)
        stage.streams.take(Finish("a"))

    assert stage.kinds()[-1] == "done"


async def test_a_piece_of_a_sample_ends_a_stream() -> None:
    """What follows would be noise."""
    async with staged() as stage:
        await stage.open()
        stage.streams.take(Audio("a", b"\0" * 7))

    assert stage.said[-1]["error"] == "7 bytes are not a whole number of float32 samples"


@pytest.mark.parametrize("is_open", [False, True])
async def test_closing_ends_at_once(*, is_open: bool) -> None:
    """Also what has not begun; whatever comes afterwards is dropped, and the name is free."""
    async with staged() as stage:
        if is_open:
            await stage.open()
        else:
            stage.streams.open(Open("a"))
        stage.streams.take(Close("a"))
        stage.streams.take(Close("a"))
        await until(lambda: stage.kinds()[-1:] == ["closed"])
        before = list(stage.said)
        for request in (Audio("a", CHUNK), Finish("a"), Close("a")):
            stage.streams.take(request)
        assert stage.said == before
        stage.streams.open(Open("a"))
        stage.streams.take(Finish("a"))

    assert stage.kinds()[-3:] == ["opened", "pause", "done"]


@pytest.mark.parametrize("when", ["opening", "hearing", "sending"])
async def test_a_lost_stream_ends_with_its_fault(when: str) -> None:
    """Whoever waits for what.

    Spec: daemon/Live streams.
    """
    fault = EngineError("the worker died")
    async with staged() as stage:
        if when == "opening":
            stage.host.fault = fault
            stage.streams.open(Open("a"))
        else:
            await stage.open()
            stream = stage.host.streams[0]
            if when == "hearing":
                stream.fail(fault)
            else:

                async def send(_: object) -> None:
                    raise fault

                stream.send = send  # type: ignore[assignment, method-assign]
                stage.streams.take(Audio("a", CHUNK))

    assert stage.said[-1] == {"type": "error", "stream": "a", "error": "the worker died"}


async def test_a_mistake_of_ours_ends_one_stream() -> None:
    """And says nothing of what it was about."""
    async with staged() as stage:
        await stage.open("b")
        stage.host.fault = ZeroDivisionError("secret")
        stage.streams.open(Open("a"))
        await until(lambda: stage.kinds() == ["error"])
        stage.streams.take(Finish("b"))

    assert stage.said[1]["error"] == BROKEN
    assert stage.kinds("b")[-1] == "done"


async def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without harm to what is open: `refused` says that no stream has ended.

    Spec: daemon/Limits of a client.
    """
    monkeypatch.setattr(streams, "MAX_STREAMS", 1)
    async with staged() as stage:
        stage.streams.open(Open("b", model="/etc"))
        await stage.open()
        stage.streams.open(Open("a"))
        stage.streams.open(Open("b"))
        stage.streams.take(Audio("c", CHUNK))
        stage.streams.take(Finish("a"))
        stage.streams.take(Finish("a"))

    refused = [(a["stream"], a["error"]) for a in stage.said if a.get("refused")]
    assert refused == [
        ("b", "there is no such model; have fake, other"),
        ("a", "a stream of this name is open: choose another name"),
        ("b", "1 streams are open: close one first"),
        ("c", "there is no such stream: open it first"),
    ]
    assert stage.kinds()[-1] == "done"


async def test_audio_after_the_end_is_a_mistake() -> None:
    """It would be lost otherwise, and nobody would know."""
    async with staged() as stage:
        await stage.open()
        stage.host.streams[0].is_taking.clear()
        stage.streams.take(Audio("a", CHUNK))
        stage.streams.take(Finish("a"))
        stage.streams.take(Audio("a", CHUNK))

    assert "audio after finish" in stage.said[-1]["error"]


async def test_stopping_ends_all() -> None:
    """Each with its line."""
    async with staged() as stage:
        await stage.open()
        await stage.open("b")
        stage.streams.stop()

    assert {answer["stream"]: answer["error"] for answer in stage.said[-2:]} == {
        "a": "the daemon is stopping: ask the next one",
        "b": "the daemon is stopping: ask the next one",
    }


async def test_the_end_of_the_input_finishes_all() -> None:
    """With the last words."""
    async with staged() as stage:
        await stage.open()
        stage.streams.take(Audio("a", CHUNK))
        stage.streams.finish()

    assert stage.kinds()[-3:] == ["word", "pause", "done"]


async def test_names_of_ended_streams_are_not_remembered_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some are, so that what is still under way for them is dropped."""
    monkeypatch.setattr(streams, "MAX_ENDED", 3)
    async with staged() as stage:
        for number in range(5):
            stage.streams.open(Open(number))
            stage.streams.take(Close(number))
        await until(lambda: not stage.streams.tasks)
        for number in range(5):
            stage.streams.take(Finish(number))

    assert [a["stream"] for a in stage.said if a.get("refused")] == [0, 1]
