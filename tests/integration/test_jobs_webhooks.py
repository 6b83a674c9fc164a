"""Others are told that a job is over: signed, again where they were away, and nobody else."""

import asyncio
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from livebot.jobs import webhooks
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost
from tests.support.job_service import form, job_service
from tests.support.webhook_receiver import receiver

SECRET = "a secret of the receiver"
HERE = {"webhook_secret": SECRET, "webhook_hosts": "127.0.0.1"}


@pytest.fixture
def host() -> FakeHost:
    """Return who recognises."""
    return FakeHost(HostOptions(), lambda _: None)


async def test_the_end_of_a_job_is_told(tmp_path: Path, host: FakeHost) -> None:
    """Whatever it is, once each, and signed. Spec: jobs/Webhooks."""
    async with receiver() as receiving, job_service(tmp_path, host, **HERE) as service:
        done = await service.give(b"say Yes", webhook=receiving.url)
        failed = await service.give(b"fail it is damaged", webhook=receiving.url)
        await receiving.wait_for(2)
        canceled = await service.give(b"wait", webhook=receiving.url)
        await service.until(canceled, "processing")
        await service.client.post(f"/cancel/{canceled}")
        await receiving.wait_for(3)
        await service.done(await service.give(b"say Silently"))

        told = sorted((each.body["state"], each.body) for each in receiving.told)

        assert [body for _, body in told] == [
            {"job_id": canceled, "state": "canceled"},
            {"job_id": done, "state": "completed"},
            {"job_id": failed, "state": "failed", "error": "it is damaged"},
        ]
        for each in receiving.told:
            assert each.is_signed(SECRET)
            assert not each.is_signed("another")
            stamp = int(each.headers["Livebot-Signature"].partition(",")[0].removeprefix("t="))
            assert abs(time.time() - stamp) < 120
            assert each.headers["Content-Type"] == "application/json"
        async with asyncio.timeout(10):
            while await service.store.jobs.untold():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_who_was_away_is_told_again(
    tmp_path: Path, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is no answer, and is not followed. Spec: jobs/Webhooks."""
    monkeypatch.setattr(webhooks, "DELAYS_S", (0.1, 0.1, 0.1, 0.1))
    monkeypatch.setattr(webhooks, "POLL_S", 0.1)
    async with (
        receiver(500, 307, 404) as receiving,
        job_service(tmp_path, host, **HERE) as service,
    ):
        job = await service.give(b"say Yes", webhook=receiving.url)
        await receiving.wait_for(4)

        assert {each.body["job_id"] for each in receiving.told} == {job}
        async with asyncio.timeout(10):
            while await service.store.jobs.untold():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert len(receiving.told) == 4


async def test_who_stays_away_is_given_up(
    tmp_path: Path, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries; the job is none the worse, and the address is in no log."""
    monkeypatch.setattr(webhooks, "DELAYS_S", (0.05, 0.05))
    monkeypatch.setattr(webhooks, "POLL_S", 0.05)
    async with job_service(tmp_path, host, **HERE) as service:
        with capture_logs() as logs:
            job = await service.give(b"say Yes", webhook="http://127.0.0.1:9/token-123")
            async with asyncio.timeout(30):
                while await service.store.jobs.untold() or not any(  # noqa: ASYNC110
                    entry["event"] == "webhook_given_up" for entry in logs
                ):
                    await asyncio.sleep(0.02)

        assert (await service.status(job))["status"] == "completed"
        assert sum(entry["event"] == "webhook_failed" for entry in logs) == 2
        assert "token-123" not in str(logs)


async def test_a_restart_does_not_forget_whom_to_tell(tmp_path: Path, host: FakeHost) -> None:
    """What was over before is told after it. Spec: jobs/Webhooks."""
    async with receiver() as receiving:
        async with job_service(tmp_path, host, **HERE, jobs_at_once=0) as service:
            job = await service.give(b"say Yes", webhook=receiving.url)
            await service.client.post(f"/cancel/{job}")
        before = len(receiving.told)
        async with job_service(tmp_path, host, **HERE) as service:
            other = await service.give(b"say Yes", webhook=receiving.url)
            await receiving.wait_for(2)

        assert before <= 1
        assert {each.body["job_id"] for each in receiving.told} == {job, other}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.2/", "name its host in LT_WEBHOOK_HOSTS"),
        ("http://[::1]:80/", "private network"),
        ("http://169.254.169.254/latest/meta-data", "private network"),
        ("http://localhost:8000/", "private network"),
        ("http://2130706433/", "private network"),
        ("ftp://example.com/", "http and https"),
        ("http://me:secret@example.com/", "user name or a password"),
        ("javascript:alert(1)", "http and https"),
        ("not an address", "http and https"),
        ("http://" + "x" * 9000, "characters"),
        ("https://no-such-host.invalid/", "no host of this name"),
    ],
)  # fmt: skip
async def test_addresses_that_may_not_be_called_are_refused(
    tmp_path: Path, host: FakeHost, url: str, told: str
) -> None:
    """When the file is given, and nothing is left of it. Spec: jobs/Webhooks."""
    async with job_service(tmp_path, host, **HERE) as service:
        async with service.client.post("/transcribe", data=form(b"say No", webhook=url)) as answer:
            body = await answer.json()

        assert answer.status == 400
        assert body["error"].startswith("webhook: ")
        assert told in body["error"]
        assert "secret" not in body["error"]
        assert service.left() == []


async def test_one_process_tells_for_all(tmp_path: Path, host: FakeHost) -> None:
    """Two share a database; each job is told once. Spec: jobs/Webhooks."""
    async with (
        receiver() as receiving,
        job_service(tmp_path, host, **HERE) as one,
        job_service(tmp_path, host, **HERE) as two,
    ):
        jobs = [
            await service.give(b"say Yes", webhook=receiving.url)
            for service in (one, two) * 5
        ]  # fmt: skip
        await receiving.wait_for(len(jobs))
        for job in jobs:
            await one.done(job)
        await asyncio.sleep(1)

        assert sorted(each.body["job_id"] for each in receiving.told) == sorted(jobs)
