"""The small parts of jobs: results, places in line, news, the host, webhooks' form."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from livebot.errors import EngineError, RequestError, UnsupportedLanguageError
from livebot.jobs.hosting import Hosting
from livebot.jobs.line import Line
from livebot.jobs.news import News
from livebot.jobs.results import stored_of
from livebot.jobs.webhooks import body_of, signature
from livebot.jobs.work import check
from livebot.recognising import FileHost
from livebot.store.exporting import transcript_of
from livebot.store.records import Job, JobOptions, JobState, Kind
from livebot.stt.engine import Word
from livebot.stt.host.options import HostOptions
from livebot.transcripts.model import Transcript, Utterance
from tests.support.fake_host import FakeHost
from tests.support.fake_store import FakeJobs

JOB = Job(
    id="a" * 32, owner="ops", name="a.wav", path="/a", size=1, created_at=5.0,
    options=JobOptions(keep_audio=True),
)  # fmt: skip

UTTERANCES = st.lists(
    st.builds(
        lambda texts, start, speaker: Utterance(
            tuple(
                Word(text, start + number, start + number + 0.5, joined and number > 0)
                for number, (text, joined) in enumerate(texts)
            ),
            speaker,
            "en",
        ),
        st.lists(
            st.tuples(st.text("abc你好,", min_size=1, max_size=4), st.booleans()),
            min_size=1,
            max_size=5,
        ),
        st.integers(0, 100),
        st.sampled_from(["", "SPEAKER_1", "SPEAKER_2"]),
    ),
    max_size=5,
)


@given(UTTERANCES)
def test_what_is_kept_is_what_was_recognised(utterances: list[Utterance]) -> None:
    """Kept and read again, it is the same transcript. Spec: jobs/Results."""
    utterances = sorted(utterances, key=lambda each: each.start)
    speakers = dict.fromkeys(each.speaker for each in utterances if each.speaker)
    said = Transcript(
        tuple(utterances), 200.0, "en", 0.5, "moonshine-tiny-en", JOB.name, tuple(speakers)
    )

    kept = stored_of(JOB, said, now=9.0)

    assert transcript_of(kept) == said
    head = kept.head
    assert (head.id, head.owner, head.kind, head.audio) == (JOB.id, "ops", Kind.JOB, True)
    assert (head.started_at, head.ended_at) == (5.0, 9.0)
    assert all(each.person == each.speaker for each in kept.utterances)


def test_webhooks_are_signed_as_documented() -> None:
    """The time is signed, too: an old message cannot be sent again as a new one."""
    body = body_of(replace(JOB, state=JobState.FAILED, error="it is damaged"))

    assert json.loads(body) == {"job_id": JOB.id, "state": "failed", "error": "it is damaged"}
    expected = hmac.new(b"secret", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert signature("secret", body, 1_700_000_000.9) == f"t=1700000000,v1={expected}"


@pytest.mark.virtual_time
async def test_places_in_line() -> None:
    """The database is asked once a second at most, and again when something changed here."""
    store = FakeJobs()
    for number in range(3):
        await store.add(replace(JOB, id=str(number), created_at=number))
    line = Line(store)

    assert [await line.position(store.all[str(number)]) for number in range(3)] == [0, 1, 2]
    assert await line.position(replace(JOB, id="unknown")) == 3
    await store.claim("w", lease_s=9)
    assert await line.counts() == (3, 0)
    await asyncio.sleep(1.01)
    assert await line.counts() == (2, 1)
    await store.claim("w", lease_s=9)
    line.forget()
    assert await line.counts() == (1, 2)


@pytest.mark.virtual_time
async def test_news_wake_those_who_watch() -> None:
    """Only of their job; what comes between two looks is not missed."""
    news = News()
    loop = asyncio.get_running_loop()
    with news.of("a") as watch, news.of("a") as other:
        news.tell("b")
        began = loop.time()
        await watch.wait(5)
        assert loop.time() == began + 5
        news.tell("a")
        await watch.wait(5)
        await other.wait(5)
        assert loop.time() == began + 5
    news.tell("a")


class Hosts:
    """Hosts that are built, and how that goes."""

    def __init__(self, *faults: EngineError | None) -> None:
        self._faults = list(faults)
        self.built = 0
        self.open = 0

    @asynccontextmanager
    async def build(self) -> AsyncIterator[FileHost]:
        """Build one."""
        self.built += 1
        await asyncio.sleep(1)
        if self._faults and (fault := self._faults.pop(0)):
            raise fault
        self.open += 1
        try:
            yield FakeHost(HostOptions(), lambda _: None)
        finally:
            self.open -= 1


@asynccontextmanager
async def running(hosting: Hosting) -> AsyncIterator[None]:
    """Run it."""
    task = asyncio.create_task(hosting.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.virtual_time
async def test_our_own_host_is_there_from_the_first_job_on() -> None:
    """One for all jobs, and gone with the service."""
    hosts = Hosts()
    hosting = Hosting(None, hosts.build)
    async with running(hosting):
        await asyncio.sleep(5)
        assert hosts.built == 0
        before = hosting.host
        found = await asyncio.gather(*(hosting.get() for _ in range(3)))
        assert len(set(map(id, found))) == 1
        assert await hosting.get() is found[0] is hosting.host
        assert before is None
        assert (hosts.built, hosts.open) == (1, 1)
    assert hosts.open == 0
    assert hosting.host is None


@pytest.mark.virtual_time
async def test_a_host_that_cannot_be_started_is_tried_again() -> None:
    """By the next job; those that waited learn why."""
    hosts = Hosts(EngineError("no model"))
    hosting = Hosting(None, hosts.build)
    async with running(hosting):
        with capture_logs():
            given_up = asyncio.create_task(hosting.get())
            await asyncio.sleep(0.5)
            given_up.cancel()
            with pytest.raises(EngineError, match="no model"):
                await hosting.get()
        assert str(hosting.fault) == "no model"
        assert await hosting.get() is hosting.host
        assert hosting.fault is None


async def test_a_shared_host_is_used() -> None:
    """And none is built."""
    hosts = Hosts()
    shared = FakeHost(HostOptions(), lambda _: None)

    assert await Hosting(shared, hosts.build).get() is shared
    assert hosts.built == 0


@pytest.mark.parametrize(
    "options",
    [
        JobOptions(),
        JobOptions(model="base", language="de", translate=True),
        JobOptions(language="auto", diarize=True, speakers=3),
        JobOptions(model="moonshine-tiny-en", language="en-GB"),
        JobOptions(language="EN_us"),
    ],
)
def test_options_that_may_work(options: JobOptions) -> None:
    """What only the model knows is seen when it is tried."""
    check(options, "moonshine-tiny-en")


@pytest.mark.parametrize("model", ["base/../x", "no-such-model", "./folder", "~", "/etc/passwd"])
def test_only_known_models_may_be_asked_for(model: str) -> None:
    """A folder may be in the settings, and in nobody's request."""
    with pytest.raises(RequestError, match="there is no such one"):
        check(JobOptions(model=model), "base")
    check(JobOptions(language="en"), model)


@pytest.mark.parametrize("language", ["de", "\0", "xx", "english", "en en", " "])
def test_languages_are_those_of_the_model(language: str) -> None:
    """That of the request, or of the service."""
    with pytest.raises(UnsupportedLanguageError):
        check(JobOptions(model="base.en", language=language), "base")
    with pytest.raises(UnsupportedLanguageError):
        check(JobOptions(language=language), "base.en")


def test_not_every_model_translates() -> None:
    """That of the service neither."""
    with pytest.raises(RequestError, match="translate"):
        check(JobOptions(translate=True), "base.en")
    with pytest.raises(RequestError, match="translate"):
        check(JobOptions(model="moonshine-base-en", translate=True), "base")
