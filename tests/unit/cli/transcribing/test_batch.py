"""Many recordings: each is done or told of, and none stops the others."""

import asyncio
import json
from pathlib import Path, PurePath

import pytest

from livebot.cli.transcribing.batch import Batch, Manner
from livebot.cli.transcribing.inputs import Input
from livebot.cli.transcribing.plan import Job, Plan
from livebot.cli.transcribing.screen import Lines
from livebot.cli.transcribing.writing import WritingError
from livebot.recognising import Recogniser
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost


def host() -> FakeHost:
    """Return a fake host."""
    return FakeHost(HostOptions(), lambda _: None)


def jobs(folder: Path, *texts: str, output: str = "") -> tuple[Job, ...]:
    """Return recordings for a fake host, called 0, 1, ..."""
    found = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.wav"
        path.write_text(text)
        outputs = ((output, folder / "out" / f"{number}.{output}"),) if output else ()
        found.append(Job(Input(str(number), path, PurePath(str(number))), outputs))
    return tuple(found)


async def run(plan: Plan, manner: Manner | None = None, fake: FakeHost | None = None) -> int:
    """Do all of it and return how many failed."""
    recogniser = Recogniser(fake or host(), "auto")
    batch = Batch(plan, recogniser, Lines(), manner or Manner())
    await batch.run()
    return batch.failed


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


async def test_texts_are_printed_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With headings; what fails is a line on stderr. Spec: command-line/Recordings."""
    texts = ("say And\nsay so.", "fail it is damaged; copy it again", "", "say my")
    plan = Plan(jobs(tmp_path, *texts), printed="txt", headings=True)

    assert await run(plan, Manner(at_once=3, tell_language=True)) == 1

    printed = capsys.readouterr()
    assert printed.out == "==> 0 <==\nAnd\nso.\n\n==> 2 <==\n\n==> 3 <==\nmy\n"
    told = sorted(printed.err.splitlines())
    assert told[1] == "1: it is damaged; copy it again"
    assert told[0].startswith("0: 0:01 in ")
    assert told[0].endswith("x), language en (probability 0.75)")
    assert told[2].endswith("nobody speaks in it")


async def test_json_lines_come_as_they_are_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors too. Spec: command-line/Transcripts."""
    plan = Plan(jobs(tmp_path, "fail it is so", "say And so", output="srt"))

    assert await run(plan, Manner(as_json=True, words=True)) == 1

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"source": "0", "error": "it is so"}
    assert lines[1]["source"] == "1"
    assert lines[1]["text"] == "And so"
    assert [word["text"] for word in lines[1]["segments"][0]["words"]] == ["And", "so"]
    assert lines[1]["outputs"] == [str(tmp_path / "out" / "1.srt")]


async def test_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is on stdout."""
    assert await run(Plan(jobs(tmp_path, "say And", "say so", output="txt"))) == 0
    assert (tmp_path / "out" / "0.txt").read_text() == "And\n"
    assert (tmp_path / "out" / "1.txt").read_text() == "so\n"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[0].endswith(f"-> {tmp_path}/out/0.txt")


async def test_a_file_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are. Spec: command-line/Transcripts."""
    (tmp_path / "out" / "0.txt").mkdir(parents=True)
    assert await run(Plan(jobs(tmp_path, "say And", "say so", output="txt"))) == 1
    assert "0: " in capsys.readouterr().err
    assert (tmp_path / "out" / "1.txt").read_text() == "so\n"


async def test_as_many_at_once_as_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No more, and all of them."""
    fake = host()
    texts = [f"say {number}" for number in range(9)]
    await run(Plan(jobs(tmp_path, *texts), printed="txt"), Manner(at_once=3), fake)
    assert fake.at_once == 3
    assert capsys.readouterr().out.split() == list("012345678")


async def test_a_stdout_that_takes_nothing_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest would be lost as well."""

    def full(_: str) -> None:
        raise WritingError("stdout cannot be written: the disk is full")

    monkeypatch.setattr("livebot.cli.transcribing.batch.print_text", full)
    plan = Plan(jobs(tmp_path, "say And", "wait"), printed="txt")
    with pytest.RaisesGroup(WritingError):
        await run(plan, Manner(at_once=2))


async def test_cancelled_nothing_is_left(tmp_path: Path) -> None:
    """As by Ctrl-C. Spec: command-line/Exit codes."""
    fake = host()
    plan = Plan(jobs(tmp_path, "wait", "wait", output="txt"))
    task = asyncio.create_task(run(plan, Manner(at_once=2), fake))
    await fake.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "out").exists()


async def test_pictures_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also of what has words and no sound. Spec: command-line/Pictures."""
    assert await run(Plan(jobs(tmp_path, "say And so", output="svg"))) == 0
    found = (tmp_path / "out" / "0.svg").read_text()
    assert found.startswith("<svg ")
    assert ">And</text>" in found
    assert 'class="sound' not in found
    assert capsys.readouterr().err.splitlines()[0].endswith("-> " + str(tmp_path / "out/0.svg"))
