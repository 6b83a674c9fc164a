"""Files as jobs over HTTP, with a recogniser that does what the files say."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.errors import StoreError
from livebot.jobs import disk
from livebot.metrics import Metrics
from livebot.settings import Bind, load_settings
from livebot.store.records import EVERYTHING
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost
from tests.support.fake_rooms import FakeRooms
from tests.support.job_service import KEY, JobService, events_of, form, job_service


@pytest.fixture
def host() -> FakeHost:
    """Return who recognises."""
    return FakeHost(HostOptions(), lambda _: None)


@pytest.fixture
async def service(tmp_path: Path, host: FakeHost) -> AsyncIterator[JobService]:
    """Run a service."""
    async with job_service(tmp_path, host) as found:
        yield found


async def test_from_upload_to_result(service: JobService) -> None:
    """Given, watched, done, fetched. Spec: jobs/Give a file, jobs/How a job is, jobs/Results."""
    async with service.client.post(
        "/transcribe", data=form(b"say And so\nsay ask not", "Talk one.wav", language="en")
    ) as answer:
        given = await answer.json()

    assert answer.status == 202
    job = given["job_id"]
    assert len(job) == 32
    assert given == {
        "job_id": job, "status": "queued", "name": "Talk one.wav", "status_url": f"/status/{job}",
    }  # fmt: skip
    found = await service.done(job)
    assert found["status"] == "completed"
    assert (found["progress"], found["heard_s"], found["total_s"]) == (1.0, 2.0, 2.0)
    assert (found["name"], found["language"], found["error"]) == ("Talk one.wav", "en", None)
    assert found["created_at"] <= found["started_at"] <= found["finished_at"]
    assert found["result"]["text"] == "And so ask not"
    assert found["result"]["source"] == "Talk one.wav"
    assert "result" not in await service.get(f"/status/{job}?result=false")
    assert "result" not in await service.get(f"/jobs/{job}")
    assert service.left() == []


@pytest.mark.parametrize("form_", ["txt", "srt", "vtt", "json", "md", "tsv"])
async def test_results_come_in_every_form(service: JobService, form_: str) -> None:
    """As the command writes them, under the recording's name. Spec: jobs/Results."""
    job = await service.give(b"say Ask not", "My talk.wav", language="en")
    await service.done(job)

    async with service.client.get(f"/jobs/{job}/result?format={form_}&words=true") as answer:
        text = await answer.text()

    assert answer.status == 200
    assert "Ask" in text
    assert answer.headers["Content-Disposition"].endswith(f"''My%20talk.{form_}")


async def test_what_is_asked_wrongly_is_told(service: JobService) -> None:
    """With what would be right."""
    job = await service.give(b"say Yes")
    await service.done(job)

    for path in (f"/jobs/{job}/result?format=doc", f"/status/{job}?words=maybe", "/jobs?limit=0",
                 "/jobs?state=lost"):  # fmt: skip
        assert "must be" in (await service.get(path, 400))["error"]


async def test_progress_is_told_as_it_happens(service: JobService, host: FakeHost) -> None:
    """Until it is over; then the answer ends. Spec: jobs/Progress as it happens."""
    job = await service.give(b"wait")
    await host.waiting.wait()
    watching = asyncio.create_task(events_of(service.client, f"/jobs/{job}/events"))
    await service.until(job, "processing")
    await asyncio.sleep(1)
    async with service.client.post(f"/cancel/{job}") as answer:
        assert (await answer.json())["status"] == "canceled"

    found = await watching

    assert found[0][0] == "progress"
    assert (found[0][1]["state"], found[0][1]["percent"]) == ("processing", 50.0)
    assert [name for name, _ in found].count("done") == 1
    assert (found[-1][0], found[-1][1]["state"]) == ("done", "canceled")
    again = await events_of(service.client, f"/jobs/{job}/events")
    assert again == found[-1:]


async def test_cancel_acts_at_once(service: JobService, host: FakeHost) -> None:
    """The workers are free for the next, and the file is gone. Spec: jobs/Cancel."""
    running = [await service.give(b"wait") for _ in range(2)]
    waiting = await service.give(b"say Next")
    for job in running:
        await service.until(job, "processing")
    assert (await service.status(waiting))["queue_position"] == 0

    for job in running:
        async with service.client.post(f"/cancel/{job}") as answer:
            assert (await answer.json())["status"] == "canceled"

    assert (await service.done(waiting))["result"]["text"] == "Next"
    assert [(await service.status(job))["status"] for job in running] == ["canceled"] * 2
    async with service.client.post(f"/cancel/{waiting}") as answer:
        assert (await answer.json())["status"] == "completed"
    assert service.left() == []
    assert host.at_once == 2


async def test_a_job_that_waits_can_be_canceled(service: JobService) -> None:
    """It is never begun."""
    running = [await service.give(b"wait") for _ in range(2)]
    for job in running:
        await service.until(job, "processing")
    waiting = await service.give(b"say Never")

    async with service.client.post(f"/cancel/{waiting}") as answer:
        assert (await answer.json())["status"] == "canceled"

    for job in running:
        await service.client.post(f"/cancel/{job}")
    last = await service.give(b"say Last")
    assert (await service.done(last))["status"] == "completed"
    assert (await service.status(waiting))["started_at"] is None


@pytest.mark.parametrize("what", [b"say Secret words", b"wait", b"fail it is damaged"])
async def test_nothing_is_left_of_what_is_erased(service: JobService, what: bytes) -> None:
    """Done, running or failed: no job, no file, no words. Spec: jobs/Erase."""
    job = await service.give(what, "Private.wav")
    await service.until(job, "processing" if what == b"wait" else "completed", "failed")

    async with service.client.delete(f"/jobs/{job}") as answer:
        assert answer.status == 200

    for path in (f"/status/{job}", f"/jobs/{job}", f"/jobs/{job}/result", f"/jobs/{job}/events"):
        assert "no" in (await service.get(path, 404))["error"]
    assert (await service.get("/jobs"))["jobs"] == []
    assert service.left() == []
    kept = b"".join(path.read_bytes() for path in service.folder.glob("*.db*"))
    assert kept
    assert b"Private" not in kept
    assert b"Secret" not in kept
    assert (await service.done(await service.give(b"say Next")))["status"] == "completed"


async def test_a_file_that_cannot_be_read_is_told(service: JobService) -> None:
    """With its cure; there is no result. Spec: jobs/How a job is."""
    job = await service.give(b"fail it is damaged; copy it again")

    found = await service.done(job)

    assert (found["status"], found["error"]) == ("failed", "it is damaged; copy it again")
    assert found["finished_at"]
    assert "result" not in found
    assert (await service.get(f"/jobs/{job}/result", 404))["error"].endswith("failed")
    assert service.left() == []


async def test_a_fault_of_our_own_fails_one_job(service: JobService) -> None:
    """The next one works, and nothing of the fault is told."""
    job = await service.give(b"\xff" * 10)

    found = await service.done(job)

    assert found["status"] in {"failed", "completed"}
    assert (await service.done(await service.give(b"say Next")))["status"] == "completed"


async def test_jobs_are_their_owners(service: JobService) -> None:
    """Others learn nothing, not even that there is one. Spec: jobs/Whose they are."""
    job = await service.give(b"say Mine")
    await service.done(job)
    other = {"Authorization": f"Bearer {KEY[::-1]}"}
    client = service.client

    for method, path in (
        ("GET", f"/status/{job}"),
        ("POST", f"/cancel/{job}"),
        ("GET", f"/jobs/{job}"),
        ("DELETE", f"/jobs/{job}"),
        ("GET", f"/jobs/{job}/result"),
        ("GET", f"/jobs/{job}/events"),
    ):
        async with client.request(method, path, headers=other) as answer:
            assert answer.status == 404, (method, path)
    async with client.get("/jobs", headers=other) as answer:
        assert (await answer.json())["jobs"] == []
    async with client.get("/jobs", headers={"Authorization": "Bearer nobody"}) as answer:
        assert answer.status == 401
    assert (await service.status(job))["status"] == "completed"


async def test_jobs_are_listed_newest_first(service: JobService) -> None:
    """By state where that is asked. Spec: jobs/How a job is."""
    first = await service.give(b"say One", "one.wav")
    await service.done(first)
    second = await service.give(b"fail two", "two.wav")
    await service.done(second)

    names = [job["name"] for job in (await service.get("/jobs"))["jobs"]]

    assert names == ["two.wav", "one.wav"]
    failed = (await service.get("/jobs?state=failed&limit=5"))["jobs"]
    assert [job["job_id"] for job in failed] == [second]
    assert len((await service.get("/jobs?limit=1"))["jobs"]) == 1


async def test_options_reach_the_recogniser(service: JobService, host: FakeHost) -> None:
    """Fields may come before the file or after it. Spec: jobs/Give a file."""
    await service.done(await service.give(b"say Yes", language="de"))

    assert host.asked == ["de"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"model": "../../etc/passwd"}, "model: there is no such one; there are moonshine"),
        ({"model": "moonshine-tiny-en", "language": "de"}, "language 'de' is not supported"),
        ({"language": "x" * 60}, "language must be a code"),
        ({"speakers": "2"}, "speakers is of use with diarize"),
        ({"speakers": "0", "diarize": "true"}, "speakers must be a number from 1 to"),
        ({"speakers": "two"}, "speakers must be a number"),
        ({"diarize": "perhaps"}, "diarize must be true or false"),
        ({"translate": "true", "model": "base.en"}, "translate: this model cannot"),
        ({"webhook": "https://example.com/done"}, "LT_WEBHOOK_SECRET"),
        ({"langauge": "en"}, "a field that is not known; known are diarize, keep_audio"),
    ],
)
async def test_options_that_make_no_sense_are_told(
    service: JobService, fields: dict[str, str], told: str
) -> None:
    """And nothing of the file is left. Spec: jobs/Give a file."""
    async with service.client.post(
        "/transcribe", data=form(b"say No", "a.wav", **fields)
    ) as answer:
        body = await answer.json()

    assert (answer.status, told in body["error"]) == (400, True), body
    assert service.left() == []


async def test_health_tells_how_many_there_are(tmp_path: Path, host: FakeHost) -> None:
    """To anybody, and nothing else. Spec: jobs/Health."""
    async with job_service(tmp_path, host, jobs_at_once=1) as service:
        running, waiting = [await service.give(b"wait") for _ in range(2)]
        await service.until(running, "processing")

        async def health() -> dict[str, Any]:
            async with service.client.get("/health", headers={"Authorization": ""}) as answer:
                assert answer.status == 200
                found: dict[str, Any] = await answer.json()
                return found

        assert await health() == {
            "status": "ok", "workers": 1, "queued": 1, "processing": 1, "models": [],
        }  # fmt: skip
        for job in (waiting, running):
            await service.client.post(f"/cancel/{job}")
        assert (await health())["queued"] == 0


async def test_what_becomes_of_jobs_is_counted(tmp_path: Path, host: FakeHost) -> None:
    """For operators: how many are done now, and how they ended. Spec: jobs/Health."""
    async with job_service(tmp_path, host, jobs_at_once=2) as service:

        async def figures() -> dict[str, float]:
            async with service.client.get("/metrics") as answer:
                lines = (await answer.text()).splitlines()
            found = (line.split() for line in lines if line.startswith("transcription_jobs_"))
            return {
                name.removeprefix("transcription_jobs_"): float(value)
                for name, value in found
                if "created" not in name
            }

        await service.done(await service.give(b"say Yes"))
        running = await service.give(b"wait")
        await service.until(running, "processing")
        assert (await figures())["active"] == 1
        for _ in range(2):
            await service.client.post(f"/cancel/{running}")
        await service.until(running, "canceled")
        await service.done(await service.give(b"say No"))

        assert await figures() == {
            "active": 0,
            'total{outcome="completed"}': 2,
            'total{outcome="canceled"}': 1,
        }


async def test_too_many_wait(tmp_path: Path, host: FakeHost) -> None:
    """More are refused until there is room. Spec: jobs/Give a file."""
    async with job_service(tmp_path, host, jobs_at_once=1, queue_limit=1) as service:
        running = await service.give(b"wait")
        await service.until(running, "processing")
        await service.give(b"wait")

        async with service.client.post("/transcribe", data=form(b"say No")) as answer:
            assert (answer.status, (await answer.json())["error"]) == (
                503,
                "1 files wait already: try again later",
            )

        assert len(service.left()) == 2


async def test_audio_is_kept_where_everybody_agreed(service: JobService) -> None:
    """And erased with the job. Spec: jobs/Keeping the audio."""
    job = await service.give(b"say Yes", "Talk.OGG", keep_audio="true")
    await service.done(job)
    other = await service.give(b"say No")
    await service.done(other)

    async with asyncio.timeout(10):
        while not (found := await service.store.audio.of(job)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    ((_, start, end, path),) = found

    assert (start, end, path.suffix, path.read_bytes()) == (0.0, 0.5, ".ogg", b"say Yes")
    assert await service.store.audio.of(other) == []
    assert service.left() == []
    async with service.client.delete(f"/jobs/{job}") as answer:
        assert answer.status == 200
    assert not path.exists()


@pytest.mark.parametrize(("name", "suffix"), [("page.html", ""), ("a.MP3", ".mp3"), ("x", "")])
async def test_kept_audio_is_never_taken_for_something_else(
    service: JobService, name: str, suffix: str
) -> None:
    """Whatever its sender called it."""
    job = await service.give(b"say Yes", name, keep_audio="true")
    await service.done(job)

    async with asyncio.timeout(10):
        while not (found := await service.store.audio.of(job)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    assert found[0][3].name == job + suffix


async def test_a_job_whose_transcript_was_erased(service: JobService) -> None:
    """It was completed all the same, or is gone with it."""
    job = await service.give(b"say Yes")
    await service.done(job)
    await service.store.transcripts.erase(job, EVERYTHING)

    async with service.client.get(f"/status/{job}") as answer:
        body = await answer.json()

    assert answer.status in {200, 404}
    assert "result" not in body


async def test_strangers_do_not_learn_why_health_is_bad(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts and folders are in the reason. Spec: jobs/Health."""

    async def away(*_: object, **__: object) -> None:
        raise StoreError("/srv/data cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr(service.store.jobs, "count_waiting", away)
        async with service.client.get("/health", headers={"Authorization": ""}) as answer:
            assert (answer.status, (await answer.json())["status"]) == (503, "degraded")
            assert "srv" not in await answer.text()


async def test_audio_that_cannot_be_kept_costs_no_transcript(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says so, and nothing is left in the folder of uploads."""

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "move", failing)
    with capture_logs() as logs:
        job = await service.give(b"say Yes", keep_audio="true")
        assert (await service.done(job))["result"]["text"] == "Yes"
        async with asyncio.timeout(10):
            while service.left():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    assert await service.store.audio.of(job) == []
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "job_not_tidied"
    ]


async def test_troubles_are_told(
    tmp_path: Path, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To operators; others learn that there are some. Spec: jobs/Health."""
    with monkeypatch.context() as patch:
        patch.setattr(disk, "free", lambda _: 0)
        async with job_service(tmp_path, host) as service:
            async with asyncio.timeout(10):
                while (await service.get("/health"))["status"] != "degraded":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

            assert list(service.jobs.troubles()) == [
                "jobs: no room is left for uploads: make some, or set LT_DATA_DIR"
            ]


async def test_a_service_without_jobs_says_so(tmp_path: Path) -> None:
    """Whoever gives a file learns why there are none."""
    settings = await asyncio.to_thread(lambda: load_settings(host="127.0.0.1", data_dir=tmp_path))
    app = make_app({"default": FakeRooms()}, settings, Metrics(), services=Services(why="no disk"))
    async with (
        serve(app, Bind("127.0.0.1", 0)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        async with client.get("/health") as answer:
            assert (await answer.json())["status"] == "off"
        async with client.post("/transcribe", data=form(b"say No")) as answer:
            assert answer.status == 503
            assert (await answer.json())["error"] == "there are no jobs here: no disk"


async def test_a_field_that_comes_twice_is_told(service: JobService) -> None:
    """Which of both is meant, nobody knows."""
    given = form(b"say No", language="en")
    given.add_field("language", "de")

    async with service.client.post("/transcribe", data=given) as answer:
        assert (answer.status, (await answer.json())["error"]) == (
            400,
            "language is there 2 times: give it once",
        )
    assert service.left() == []
