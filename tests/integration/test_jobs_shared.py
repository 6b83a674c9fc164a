"""Several services share one database, SQLite or PostgreSQL: every job is done by one of them."""

import asyncio
from pathlib import Path

from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost
from tests.support.job_service import job_service
from tests.support.stores import postgres_server, url

__all__ = ["postgres_server", "url"]

JOBS = 40


def host() -> FakeHost:
    """Return who recognises."""
    return FakeHost(HostOptions(), lambda _: None)


async def test_no_job_is_done_twice(tmp_path: Path, url: str) -> None:
    """Whoever took it in. Spec: jobs/Restarts."""
    hosts = host(), host()
    given = {"database_url": url, "jobs_at_once": 4, "requests_per_minute": 0}
    async with (
        job_service(tmp_path, hosts[0], **given) as one,
        job_service(tmp_path, hosts[1], **given) as two,
    ):
        jobs = await asyncio.gather(
            *(
                (one, two)[number % 2].give(f"say Number {number}".encode())
                for number in range(JOBS)
            )
        )
        found = [await one.done(job) for job in jobs]

        texts = [each["result"]["text"] for each in found]
        assert texts == [f"Number {number}" for number in range(JOBS)]
        assert sum(len(each.asked) for each in hosts) == JOBS
        assert min(len(each.asked) for each in hosts) > 0
        assert one.left() == []


async def test_a_cancel_reaches_another_process(tmp_path: Path, url: str) -> None:
    """With its next renewal; what it finishes afterwards is not kept. Spec: jobs/Cancel."""
    doing = host()
    given = {"database_url": url, "requests_per_minute": 0}
    async with (
        job_service(tmp_path, host(), **given, jobs_at_once=0) as asked,
        job_service(tmp_path, doing, **given) as other,
    ):
        job = await asked.give(b"wait\nsay Late")
        await asked.until(job, "processing")
        assert (await asked.get("/health"))["workers"] == 0

        async with asked.client.post(f"/cancel/{job}") as answer:
            assert (await answer.json())["status"] == "canceled"

        async with asyncio.timeout(30):
            while other.jobs._runner.running:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        doing.go_on.set()
        assert (await asked.status(job))["status"] == "canceled"
        assert asked.left() == []
