"""Uploads that go wrong: a clear answer, nothing left, and the next one works."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livebot.api import uploads
from livebot.errors import NotFoundError
from livebot.jobs import disk
from livebot.store.records import JobOptions, JobState, Scope
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost
from tests.support.job_service import KEY, JobService, form, job_service

BOUNDARY = b"----0123456789"
HEAD = (
    b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
)
TAIL = b"\r\n--" + BOUNDARY + b"--\r\n"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[JobService]:
    """Run a service that takes 1 MB; in the end nothing is left, and it works."""
    host = FakeHost(HostOptions(), lambda _: None)
    async with job_service(tmp_path, host, upload_max_mb=1) as found:
        yield found
        await _nothing_left(found)
        job = await found.give(b"say Next")
        assert (await found.done(job))["result"]["text"] == "Next"
        assert (await found.get("/health"))["status"] == "ok"
        await _nothing_left(found)


async def _nothing_left(service: JobService) -> None:
    async with asyncio.timeout(10):
        while service.left():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class Raw:
    """A client that sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def begin(
        cls, service: JobService, *, length: int | None = None, kind: str = ""
    ) -> "Raw":
        """Send the head of a request; without a length its body comes in chunks."""
        found = cls(*await asyncio.open_connection("127.0.0.1", service.port))
        kind = kind or f"multipart/form-data; boundary={BOUNDARY.decode()}"
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        head = (
            "POST /transcribe HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {KEY}",
            f"Content-Type: {kind}",
            size,
        )
        found.writer.write("\r\n".join([*head, "", ""]).encode())
        return found

    def chunk(self, data: bytes) -> None:
        """Send a chunk."""
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def answer(self) -> str:
        """Return all that comes until the server is done."""
        async with asyncio.timeout(30):
            try:
                text = (await self._reader.read(100_000)).decode()
            finally:
                self.writer.close()
        return text


async def test_five_gigabytes_are_refused_at_once(service: JobService) -> None:
    """By what the client says it will send. Spec: jobs/Uploads that go wrong."""
    raw = await Raw.begin(service, length=5_000_000_000)

    answer = await raw.answer()

    assert answer.startswith("HTTP/1.1 413 ")
    assert "LT_UPLOAD_MAX_MB may allow more" in answer


async def test_who_streams_without_end_is_stopped(service: JobService) -> None:
    """At the limit, whatever was said. Spec: jobs/Uploads that go wrong."""
    raw = await Raw.begin(service)
    raw.chunk(HEAD)
    sent = 0
    reading = asyncio.create_task(raw.answer())
    while not reading.done() and sent < 50_000_000:
        raw.chunk(bytes(100_000))
        sent += 100_000
        try:
            await raw.writer.drain()
        except ConnectionError:
            break
        await asyncio.sleep(0)

    answer = await reading

    assert answer.startswith("HTTP/1.1 413 ")
    assert "more than 1 MB" in answer
    assert sent < 50_000_000


@pytest.mark.parametrize("length", [None, 5000])
async def test_an_upload_cut_in_the_middle_leaves_nothing(
    service: JobService, length: int | None
) -> None:
    """Whether or not it was said how long it is. Spec: jobs/Uploads that go wrong."""
    raw = await Raw.begin(service, length=length)
    if length is None:
        raw.chunk(HEAD + b"say " * 100)
    else:
        raw.writer.write(HEAD + b"say " * 100)
    await raw.writer.drain()
    async with asyncio.timeout(10):
        while not service.left():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    raw.writer.transport.abort()

    await _nothing_left(service)
    assert (await service.get("/jobs"))["jobs"] == []


@pytest.mark.parametrize(
    "body",
    [
        HEAD + b"say cut",
        HEAD,
        HEAD + b"say cut\r\n--" + BOUNDARY,
        HEAD + b"say cut\r\n--" + BOUNDARY + b"\r\nContent-Disposition: form-data; name=",
        b"",
        b"garbage",
        b"\r\n" * 1000,
        os.urandom(3000),
        b"--" + BOUNDARY + b"\r\n\r\nwithout a name" + TAIL,
        b"--" + BOUNDARY + b"\r\n" + b"X: y\r\n" * 5000 + b"\r\n" + TAIL,
        b"--" + BOUNDARY + b"\r\nX: " + b"y" * 100_000 + b"\r\n\r\n" + TAIL,
        b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n'
        + b"x" * 100 + TAIL,
        b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data; name=\r\n\r\nsay" + TAIL,
        HEAD[:-4] + b"\r\nContent-Encoding: gzip\r\n\r\nsay" + TAIL,
        HEAD[:-4] + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nsay" + TAIL,
        HEAD[:-4] + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nsay" + TAIL,
        HEAD + b"say one\r\n" + HEAD + b"say two" + TAIL,
        HEAD + TAIL[2:],
        HEAD + TAIL,
        b"--" + BOUNDARY + b"--\r\n",
        b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="language"\r\n\r\nen' + TAIL,
        HEAD + b"say" + TAIL[:-4] + b'\r\nContent-Disposition: form-data; name="language"\r\n\r\n'
        + b"x" * 20_000 + TAIL,
        HEAD + b"say" + TAIL[:-4] + b'\r\nContent-Disposition: form-data; name="language"\r\n\r\n'
        + b"\xff\xfe" + TAIL,
        b"".join(
            b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="language"\r\n\r\nen\r\n'
            for _ in range(100)
        ) + TAIL[2:],
    ],
)  # fmt: skip
async def test_what_is_no_whole_form_is_told(service: JobService, body: bytes) -> None:
    """Also where the file came whole and the rest did not."""
    raw = await Raw.begin(service, length=len(body))
    raw.writer.write(body)

    answer = await raw.answer()

    assert answer.startswith("HTTP/1.1 400 "), answer
    assert '{"error":"' in answer
    assert "internal" not in answer
    assert "garbage" not in answer


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; x"])
async def test_another_kind_of_body_is_told(service: JobService, kind: str) -> None:
    """With what it should be."""
    raw = await Raw.begin(service, length=2, kind=kind)
    raw.writer.write(b"{}")

    assert (await raw.answer()).startswith("HTTP/1.1 400 ")


async def test_a_body_that_is_compressed_is_told(service: JobService) -> None:
    """Nobody unpacks what strangers packed."""
    async with service.client.post(
        "/transcribe", data=b"x", headers={
            "Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "deflate",
        },
    ) as answer:  # fmt: skip
        assert (answer.status, await answer.json()) == (
            400,
            {"error": "the body must not be compressed"},
        )


async def test_who_sends_no_more_is_told(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then is no progress. Spec: jobs/Uploads that go wrong."""
    monkeypatch.setattr(uploads, "STALLED_S", 0.5)
    raw = await Raw.begin(service, length=500_000)
    raw.writer.write(HEAD)
    reading = asyncio.create_task(raw.answer())
    sent = 0
    while not reading.done() and sent < 500:
        raw.writer.write(b"x")
        sent += 1
        await asyncio.sleep(0.02)

    answer = await reading

    assert answer.startswith("HTTP/1.1 408 ")
    assert "no progress for 0.5 s" in answer
    assert sent < 500


async def test_a_slow_upload_that_goes_on_arrives(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes in all."""
    monkeypatch.setattr(uploads, "STALLED_S", 1.0)
    body = HEAD + b"say Slow\n" + b"\n" * 60_000 + TAIL
    raw = await Raw.begin(service, length=len(body))
    for at in range(0, len(body), 6_000):
        raw.writer.write(body[at : at + 6_000])
        await asyncio.sleep(0.15)

    assert (await raw.answer()).startswith("HTTP/1.1 202 ")
    await service.done((await service.get("/jobs"))["jobs"][0]["job_id"])


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if "livebot.db" not in path.name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\me\\talk.wav", "talk.wav"),
        ("..", ".."),
        ("a" * 1000 + ".wav", "a" * 255),
        ("\u202egnp.wav", "gnp.wav"),
        ("Grüße aus 東京.mp3", "Grüße aus 東京.mp3"),
        ("%2e%2e%2fsecret", "%2e%2e%2fsecret"),
        ("", "recording"),
    ],
)
async def test_a_path_in_the_name_is_no_path(
    service: JobService, name: str, shown: str, tmp_path: Path
) -> None:
    """The name is shown, and nothing else. Spec: jobs/Uploads that go wrong."""
    before = _files(tmp_path)

    job = await service.give(b"say Mine", name)
    found = await service.done(job)

    assert (found["name"], found["result"]["text"]) == (shown, "Mine")
    assert _files(tmp_path) == before


async def test_the_same_name_twice_is_two_files(service: JobService) -> None:
    """At the same time. Spec: jobs/Uploads that go wrong."""
    jobs = await asyncio.gather(
        *(service.give(f"say {text}".encode(), "talk.wav") for text in ("One", "Two", "Three"))
    )

    found = [await service.done(job) for job in jobs]

    assert [each["result"]["text"] for each in found] == ["One", "Two", "Three"]
    assert {each["name"] for each in found} == {"talk.wav"}


async def test_files_are_nobody_elses(tmp_path: Path) -> None:
    """Neither the folder nor what is in it."""
    host = FakeHost(HostOptions(), lambda _: None)
    async with job_service(tmp_path, host) as service:
        job = await service.give(b"wait")
        (name,) = service.left()

        folder = tmp_path / "uploads"
        assert (folder.stat().st_mode & 0o777, (folder / name).stat().st_mode & 0o777) == (
            0o700,
            0o600,
        )
        await service.client.post(f"/cancel/{job}")


async def test_a_disk_that_is_nearly_full_is_told(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is full: the database needs room, too. Spec: jobs/Uploads that go wrong."""
    with monkeypatch.context() as patch:
        patch.setattr(disk, "free", lambda _: 10)
        async with service.client.post("/transcribe", data=form(b"x" * 600_000)) as answer:
            assert answer.status == 503
            assert "no room for the file" in (await answer.json())["error"]
            assert answer.headers["Retry-After"]
        assert service.left() == []


async def test_a_disk_that_fills_up_meanwhile_is_told(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is gone."""
    with monkeypatch.context() as patch:

        def full(_: int, __: bytes) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(disk, "write_all", full)
        async with service.client.post("/transcribe", data=form(b"x" * 600_000)) as answer:
            assert answer.status == 503
            assert "no room for the file" in (await answer.json())["error"]
        assert service.left() == []


_LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from livebot.errors import BusyError
from livebot.jobs.uploads import Uploads

async def pieces():
    for _ in range(100):
        yield bytes(100_000)

async def main(folder):
    uploads = Uploads(folder, max_mb=100)
    await uploads.start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    try:
        await uploads.receive("a", pieces())
    except BusyError as exc:
        print(exc, list(folder.iterdir()))

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_kernel_that_takes_no_more_bytes_is_told(tmp_path: Path) -> None:
    """As it is with quotas and full disks: by the real error of a real write."""
    found = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path / "uploads")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert found.stdout.strip() == (
        "there is no room for the file on the service's disk: try again later []"
    ), found.stderr


async def test_left_overs_of_a_crash_are_removed(tmp_path: Path) -> None:
    """But not what a job needs, or another process writes. Spec: jobs/Uploads that go wrong."""
    host = FakeHost(HostOptions(), lambda _: None)
    folder = tmp_path / "uploads"
    async with job_service(tmp_path, host, jobs_at_once=0) as service:
        job = await service.give(b"say Kept")
        (needed,) = service.left()
    left = folder / ("a" * 32)
    left.write_bytes(b"say Left")
    being_written = folder / ("b" * 32)
    number = disk.create(being_written)
    (folder / "somebody.else").write_bytes(b"theirs")

    async with job_service(tmp_path, host, jobs_at_once=0) as service:
        async with asyncio.timeout(10):
            while left.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

        assert service.left() == sorted([needed, being_written.name, "somebody.else"])
    os.close(number)
    async with job_service(tmp_path, host) as service:
        assert (await service.done(job))["result"]["text"] == "Kept"
        async with asyncio.timeout(10):
            while service.left() != ["somebody.else"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_job_that_somebody_waits_for_ends_with_them(tmp_path: Path) -> None:
    """Erased by who waited, or by the next process where that one ended."""
    host = FakeHost(HostOptions(), lambda _: None)

    async def one_piece() -> AsyncIterator[bytes]:
        yield b"say Brief"

    async with job_service(tmp_path, host) as service:
        upload = await service.jobs.receive("a.wav", one_piece())
        job = await service.jobs.submit("ops", upload, JobOptions(), ephemeral=True)
        async with asyncio.timeout(30):
            states = [each.state async for each in service.jobs.changes(job.id, Scope("ops"))]
        assert states[-1] is JobState.COMPLETED
        assert (await service.get("/jobs"))["jobs"] == []
        assert (await service.jobs.result(job.id, Scope("ops"))).utterances[0].text == "Brief"
        assert len(service.left()) == 1

        await service.jobs.erase(job.id, Scope("ops"))

        assert service.left() == []
    async with job_service(tmp_path, host, jobs_at_once=0) as service:
        upload = await service.jobs.receive("a.wav", one_piece())
        job = await service.jobs.submit("ops", upload, JobOptions(), ephemeral=True)
        # As the kernel does when the process is killed.
        await service.jobs._uploads.release(upload.path)
    async with job_service(tmp_path, host) as service:
        async with asyncio.timeout(30):
            while service.left():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        with pytest.raises(NotFoundError):
            await service.jobs.get(job.id, Scope("ops"))
