"""Each request is answered once, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from livebot.daemon import recognitions
from livebot.daemon.answers import Answer
from livebot.daemon.faults import BROKEN
from livebot.daemon.recognitions import Recognitions
from livebot.daemon.requests import Recognise
from livebot.daemon.sources import Sources
from livebot.errors import EngineBusyError, EngineError, RecordingError
from livebot.fetch.http import Limits
from livebot.stt.host.messages import Progress
from tests.support.waiting import until
from tests.unit.daemon.fake_host import FakeHost, find_turns


@dataclass(slots=True)
class Desk:
    """Recognitions with a host that does as it is told, and what was answered."""

    group: asyncio.TaskGroup
    folder: Path
    limit: int = 3
    host: FakeHost = field(default_factory=FakeHost)
    said: list[Answer] = field(default_factory=list)
    hints: list[Answer] = field(default_factory=list)
    desk: Recognitions = field(init=False)

    def __post_init__(self) -> None:
        """Open it."""
        self.desk = Recognitions(
            self.host,
            Sources(self.folder, Limits(), [self.folder]),
            models={"fake", "other"},
            limit=self.limit,
            find_turns=find_turns,
            say=self.said.append,
            hint=self.hints.append,
            group=self.group,
        )

    def ask(self, name: str = "a.wav", **more: object) -> None:
        """Ask for a file of the folder."""
        (self.folder / "a.wav").touch()
        self.desk.accept(Recognise(path=str(self.folder / name), **more))  # type: ignore[arg-type]


@asynccontextmanager
async def opened(folder: Path, limit: int = 3) -> AsyncIterator[Desk]:
    """Open a desk; on leaving all is answered."""
    async with asyncio.TaskGroup() as group:
        yield Desk(group, folder, limit)


async def test_a_file_is_answered(tmp_path: Path) -> None:
    """With its words, by its own path and id, in the language and by the model asked for.

    Spec: daemon/Answers.
    """
    async with opened(tmp_path) as desk:
        desk.ask(id="x", language="de", model="other")
    (answer,) = desk.said

    assert answer["text"] == "a.wav! end"
    assert answer["words"][-1] == {"text": "end", "start": 2.0, "end": 3.0}
    assert (answer["path"], answer["id"]) == (str(tmp_path / "a.wav"), "x")
    assert desk.host.asked == [("de", "other")]


async def test_who_speaks_is_said_to_those_who_ask(tmp_path: Path) -> None:
    """Of as many people as there are said to be; one who does not ask does not wait for it.

    Spec: daemon/Speakers.
    """
    async with opened(tmp_path) as desk:
        desk.ask(id=1)
        desk.ask(id=2, diarize=True)
        desk.ask(id=3, speakers=1)
    found = {
        answer["id"]: [part["speaker"] for part in answer.get("utterances", ())]
        for answer in desk.said
    }

    assert found[1] == []
    assert len(set(found[2])) == 2
    assert set(found[3]) == {"SPEAKER_1"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (RecordingError("no sound in it"), {"error": "no sound in it"}),
        (EngineError("the worker died"), {"error": "the worker died"}),
        (EngineBusyError("too many wait"), {"error": "too many wait", "busy": True}),
        (ZeroDivisionError("secret"), {"error": BROKEN}),
    ],
    ids=["file", "engine", "busy", "bug"],
)
async def test_a_fault_is_an_answer(
    tmp_path: Path, fault: Exception, told: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also a mistake of ours, whose text stays in the house; the next request is served.

    Spec: daemon/Answers.
    """
    async with opened(tmp_path) as desk:
        desk.host.fault = fault
        desk.ask(id=1)
        await until(lambda: desk.said)
        desk.host.fault = None
        desk.ask(id=2)
    first, second = desk.said

    assert first == {**told, "path": str(tmp_path / "a.wav"), "id": 1}
    assert second["text"]
    assert "secret" not in "".join(capsys.readouterr())


async def test_a_missing_file_and_an_unknown_model_are_told(tmp_path: Path) -> None:
    """A model is a known name, and never a path that a client chooses."""
    async with opened(tmp_path) as desk:
        desk.ask("missing.wav", id=1)
        desk.ask(id=2, model="/etc")

    assert {answer["id"]: answer["error"] for answer in desk.said} == {
        1: "the file cannot be read (No such file or directory): check the path",
        2: "there is no such model; have fake, other",
    }


async def test_too_many_are_refused_at_once(tmp_path: Path) -> None:
    """Those under way go on, and there is room again when one is answered.

    Spec: daemon/Limits of a client.
    """
    async with opened(tmp_path) as desk:
        desk.host.gate.clear()
        for number in range(5):
            desk.ask(id=number)
        assert [(answer["id"], answer["busy"]) for answer in desk.said] == [(3, True), (4, True)]
        desk.host.gate.set()
        await until(lambda: len(desk.said) == 5)
        desk.ask(id=5)

    assert sorted(answer["id"] for answer in desk.said if "text" in answer) == [0, 1, 2, 5]


@pytest.mark.parametrize("begun", [False, True])
async def test_a_request_can_be_cancelled(tmp_path: Path, *, begun: bool) -> None:
    """In the middle, and in the same breath in which it was asked; it answers, and no other.

    Spec: daemon/Cancelling.
    """
    async with opened(tmp_path) as desk:
        desk.host.gate.clear()
        desk.ask(id="x")
        desk.ask(id="y")
        if begun:
            await until(lambda: desk.host.running == 2)
        assert desk.desk.cancel("x")
        await until(lambda: desk.said)

        assert desk.said == [
            {"error": "canceled", "path": str(tmp_path / "a.wav"), "id": "x", "canceled": True}
        ]
        assert not desk.desk.cancel("x")
        assert not desk.desk.cancel("z")
        desk.host.gate.set()

    assert desk.said[1]["id"] == "y"


async def test_numbers_and_texts_are_different_ids(tmp_path: Path) -> None:
    """As JSON has it."""
    async with opened(tmp_path) as desk:
        desk.host.gate.clear()
        desk.ask(id=1)
        assert not desk.desk.cancel("1")
        assert desk.desk.cancel(1)


async def test_equal_ids_are_all_answered_and_all_cancelled(tmp_path: Path) -> None:
    """They are the client's own business."""
    async with opened(tmp_path) as desk:
        desk.host.gate.clear()
        desk.ask(id=1)
        desk.ask(id=1)
        assert desk.desk.cancel(1)

    assert [answer["canceled"] for answer in desk.said] == [True, True]


async def test_stopping_answers_all(tmp_path: Path) -> None:
    """With an error that says to ask somebody else."""
    async with opened(tmp_path) as desk:
        desk.host.gate.clear()
        desk.ask(id=1)
        desk.ask()
        desk.desk.stop()

    assert [answer["error"] for answer in desk.said] == [
        "the daemon is stopping: ask the next one"
    ] * 2
    assert desk.host.running == 0
    assert not desk.desk.tasks


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from([0.0, 10.0])), max_size=12))
@example([(1e-38, 0.0), (2e-38, 0.0)])
def test_progress_never_goes_back(tmp_path: Path, reports: list[tuple[float, float]]) -> None:
    """Whatever the host says, where there is no time between the reports.

    Spec: daemon/Progress.
    """

    async def run() -> list[Answer]:
        async with opened(tmp_path) as desk:
            desk.host.reports = [Progress(0, *report) for report in reports]
            desk.ask(progress=True)
            desk.ask()
        return desk.hints

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognitions, "PROGRESS_EVERY_S", 0.0)
        hints = asyncio.run(run())

    parts = [hint["progress"] for hint in hints if "progress" in hint]
    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for part in parts)
    heard = [hint["heard_s"] for hint in hints]
    assert heard == sorted(set(heard))
    assert bool(hints) == any(heard_s > 0 for heard_s, _ in reports)


async def test_progress_comes_now_and_then(tmp_path: Path) -> None:
    """Not as often as the host tells it, and only to those who asked.

    Spec: daemon/Progress.
    """
    async with opened(tmp_path) as desk:
        desk.host.reports = [Progress(0, second, 100.0) for second in range(1, 100)]
        desk.ask(progress=True, id=1)
        desk.ask(id=2)

    assert [hint["id"] for hint in desk.hints] == [1]
