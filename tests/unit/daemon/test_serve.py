"""A client from its first line to its last, over real pipes, with a host that has no model."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.daemon import pipes
from livebot.daemon import serve as serving
from livebot.daemon.pipes import Input, Output
from livebot.daemon.serve import Stop, Terms, serve
from livebot.daemon.sources import Sources
from livebot.fetch.http import Limits
from tests.support.waiting import until
from tests.unit.daemon.fake_host import FakeHost, find_turns


@dataclass(slots=True)
class Client:
    """The other end of the pipes.

    Attributes:
        lines: What it was told.
        over: The daemon, until it ends.
    """

    to_daemon: int
    from_daemon: int
    host: FakeHost
    stop: Stop
    folder: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    is_reading: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Task[None] = field(init=False)

    async def say(self, *lines: dict[str, Any] | bytes) -> None:
        """Write lines."""
        data = b"".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            for line in lines
        )
        await asyncio.to_thread(_write, self.to_daemon, data)

    async def ask(self, *names: Any, **more: Any) -> None:
        """Ask for a file once per name."""
        file = str(self.folder / "a.wav")
        await self.say(*({"path": file, "id": name, **more} for name in names))

    def hang_up(self) -> None:
        """Say nothing more."""
        with suppress(OSError):
            os.close(self.to_daemon)
        self.to_daemon = -1

    async def listen(self) -> None:
        """Read until the end."""
        data = b""
        while True:
            await self.is_reading.wait()
            try:
                block = await asyncio.to_thread(os.read, self.from_daemon, 65_536)
            except OSError:
                break  # a test has closed it
            if not block:
                break
            *whole, data = (data + block).split(b"\n")
            self.lines += [json.loads(line) for line in whole]
        assert data == b""


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


@asynccontextmanager
async def serving_one(
    folder: Path, *, limit: int = 1000, drain_s: float = 20, is_reading: bool = True
) -> AsyncIterator[Client]:
    """Serve a client; on leaving it hangs up, and the daemon ends by itself."""
    (folder / "a.wav").touch()
    theirs, to_daemon = os.pipe()
    from_daemon, ours = os.pipe()
    host, stop = FakeHost(), Stop()
    client = Client(to_daemon, from_daemon, host, stop, folder)
    if is_reading:
        client.is_reading.set()
    terms = Terms(models=frozenset({"fake"}), limit=limit, find_turns=find_turns, drain_s=drain_s)

    async def run() -> None:
        source = Input(theirs)
        try:
            async with Output(ours) as output:
                sources = Sources(folder, Limits(), [folder])
                await serve(source, output, host, sources, terms, stop)
        finally:
            await source.close()
            os.close(theirs)
            os.close(ours)

    client.over = asyncio.create_task(run())
    listening = asyncio.create_task(client.listen())
    try:
        yield client
        client.hang_up()
        async with asyncio.timeout(20):
            await client.over
            await listening
    finally:
        client.hang_up()
        client.stop.ask()
        client.stop.ask()
        await asyncio.gather(client.over, listening, return_exceptions=True)
        with suppress(OSError):
            os.close(from_daemon)


async def test_a_client_of_few_words(tmp_path: Path) -> None:
    """It asks by one key, and knows its answers by the same."""
    async with serving_one(tmp_path) as client:
        await client.say({"audio_url": "ping"}, {"audio_url": f"{tmp_path}/a.wav"})
        await until(lambda: len(client.lines) == 2)

    assert client.lines[0] == {"status": "pong"}
    assert client.lines[1]["audio_url"] == f"{tmp_path}/a.wav"
    assert client.lines[1]["text"] == "a.wav! end"


async def test_how_it_is_can_be_asked(tmp_path: Path) -> None:
    """With what is under way."""
    async with serving_one(tmp_path) as client:
        client.host.gate.clear()
        await client.ask(1, 2)
        await client.say({"type": "open", "stream": "a"}, {"status": "?", "id": "s"})
        await until(lambda: client.lines)
        client.host.gate.set()

    status = client.lines[0]
    assert status.items() >= {"status": "running", "healthy": True, "id": "s"}.items()
    assert (status["requests"], status["streams"], status["model"]) == (2, 1, "fake")


async def test_cancelling_in_the_same_breath_is_answered(tmp_path: Path) -> None:
    """And cancelling nothing is, too.

    Spec: daemon/Cancelling.
    """
    async with serving_one(tmp_path) as client:
        client.host.gate.clear()
        await client.ask(1)
        await client.say({"cancel": 1}, {"cancel": 1}, {"cancel": "no"})
        await until(lambda: len(client.lines) >= 2)

    assert {"error": "no request with this id is under way", "cancel": "no"} in client.lines
    canceled = [line for line in client.lines if line.get("canceled")]
    assert [line["id"] for line in canceled] == [1]


async def test_the_end_of_the_input_finishes_all(tmp_path: Path) -> None:
    """However long that takes; also a stream whose end was not said.

    Spec: daemon/End.
    """
    async with serving_one(tmp_path, drain_s=0) as client:
        client.host.gate.clear()
        await client.ask(1, 2)
        audio = b'{"type":"audio","stream":"a","bytes":8}\n' + b"\0" * 8
        await client.say({"type": "open", "stream": "a"}, audio, b'{"audio_url":"ping"}')
        client.hang_up()
        await until(lambda: client.host.running == 2)
        assert not client.over.done()
        client.host.gate.set()

    assert sorted(line["id"] for line in client.lines if "text" in line and "id" in line) == [1, 2]
    assert {"type": "done", "stream": "a"} in client.lines
    assert {"status": "pong"} in client.lines


@pytest.mark.parametrize("asked", ["once", "twice"])
async def test_stopping_waits_for_what_runs_and_not_for_ever(tmp_path: Path, asked: str) -> None:
    """What is done in time is answered, the rest with an error; asked again, it waits no more.

    Spec: daemon/End.
    """
    async with serving_one(tmp_path, drain_s=0.3 if asked == "once" else 60) as client:
        client.host.gate.clear()
        await client.ask(1)
        await client.say({"type": "open", "stream": "a"})
        await until(lambda: client.host.running)
        client.stop.ask()
        if asked == "twice":
            client.stop.ask()
        async with asyncio.timeout(20):
            await client.over

    reason = "the daemon is stopping: ask the next one"
    assert {line.get("id", line.get("stream")): line["error"] for line in client.lines} == {
        1: reason,
        "a": reason,
    }


async def test_stopping_takes_nothing_new(tmp_path: Path) -> None:
    """What runs is finished; what is said then is not heard."""
    async with serving_one(tmp_path) as client:
        client.host.gate.clear()
        await client.ask(1)
        await until(lambda: client.host.running)
        client.stop.ask()
        await asyncio.sleep(0.05)
        await client.ask(2)
        client.host.gate.set()
        async with asyncio.timeout(20):
            await client.over

    assert [line["id"] for line in client.lines] == [1]


async def test_too_many_requests_are_refused(tmp_path: Path) -> None:
    """And the client lives."""
    async with serving_one(tmp_path, limit=2) as client:
        client.host.gate.clear()
        await client.ask(*range(5))
        await until(lambda: len(client.lines) == 3)
        assert all(line["busy"] for line in client.lines)
        client.host.gate.set()

    assert sorted(line["id"] for line in client.lines[3:]) == [0, 1]


async def test_who_does_not_read_is_heard_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing piles up: its own pipe fills; once it reads, all is answered.

    Spec: daemon/Clients that do not read.
    """
    monkeypatch.setattr(pipes, "MAX_UNREAD", 100_000)
    count = 3000
    async with serving_one(tmp_path, is_reading=False) as client:
        question = b'{"audio_url":"ping","id":"%b"}\n' % (b"x" * 200)
        talking = asyncio.ensure_future(client.say(question * count))
        with pytest.raises(TimeoutError):
            await until(talking.done, deadline_s=0.5)
        client.is_reading.set()
        await talking

    assert len(client.lines) == count


async def test_a_client_that_is_gone_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of its request, without waiting for it.

    Spec: daemon/Clients that do not read.
    """
    monkeypatch.setattr(pipes, "WATCH_S", 0.05)
    async with serving_one(tmp_path, is_reading=False) as client:
        client.host.gate.clear()
        await client.ask(1)
        await until(lambda: client.host.running)
        os.close(client.from_daemon)
        async with asyncio.timeout(20):
            await client.over
        client.is_reading.set()  # which finds nothing to read

    assert client.host.running == 0


NOISE = st.binary(max_size=80) | st.sampled_from(
    [
        *(b"[]", b"{}", b"null", b"{" * 99, b'{"audio_url":[]}', b'{"cancel":1}'),
        *(b'{"path":"a","id":1}', b'{"audio_url":"http://127.0.0.1/"}'),
        *(b'{"type":"open","stream":"a"}', b'{"type":"close","stream":"a"}'),
        b'{"type":"audio","stream":"a","bytes":"x"}',
        b'{"type":"audio","stream":"a","bytes":4}\n\0\0\0\0',
        b'{"type":"audio","stream":"a","bytes":3}\n\0\0\0',
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.lists(NOISE, max_size=12))
def test_garbage_ends_nothing(tmp_path: Path, noise: list[bytes]) -> None:
    """After whatever bytes, a request is answered.

    Spec: daemon/Garbage.
    """

    async def run() -> list[dict[str, Any]]:
        async with serving_one(tmp_path) as client:
            await client.say(b"\n".join(noise))
            # At most a payload that garbage has counted is missing.
            await client.say(b"\n" * 8, b'{"audio_url":"ping"}\n')
            await client.ask("last")
            await until(lambda: any(line.get("id") == "last" for line in client.lines))
        return client.lines

    lines = asyncio.run(run())

    assert {"status": "pong"} in lines
    (last,) = [line for line in lines if line.get("id") == "last"]
    assert last["text"] == "a.wav! end"
    assert all({"error", "status", "text", "type"} & line.keys() for line in lines)


async def test_a_mistake_in_waiting_is_not_hidden() -> None:
    """What the first one raises goes up."""

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await serving._first(fail(), asyncio.sleep(10))
