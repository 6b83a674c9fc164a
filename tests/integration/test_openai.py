"""OpenAI's own client transcribes files, unchanged, against the service."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pysubs2
import pytest
from openai import AsyncOpenAI

from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost
from tests.support.job_service import KEY, JobService, form, job_service
from tests.support.recorded_speech import FOLDER, recording
from tests.support.wer import wer

SAID = "And so ask not"
FILE = ("talk.wav", b"say And so\nsay ask not")


@pytest.fixture
def host() -> FakeHost:
    """Return who recognises."""
    return FakeHost(HostOptions(), lambda _: None)


@pytest.fixture
async def service(tmp_path: Path, host: FakeHost) -> AsyncIterator[JobService]:
    """Run a service."""
    async with job_service(tmp_path, host) as found:
        yield found


@pytest.fixture
async def client(service: JobService) -> AsyncIterator[AsyncOpenAI]:
    """Return OpenAI's client, told of nothing but another address."""
    async with api(service) as found:
        yield found


def api(service: JobService, key: str = KEY) -> AsyncOpenAI:
    """Return OpenAI's client."""
    return AsyncOpenAI(
        api_key=key, base_url=f"http://127.0.0.1:{service.port}/v1", max_retries=0, timeout=60
    )


async def nothing_is_left(service: JobService) -> None:
    """Wait until there is no file and no job."""
    async with asyncio.timeout(30):
        while service.left() or (await service.get("/jobs"))["jobs"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_json(service: JobService, client: AsyncOpenAI, host: FakeHost) -> None:
    """The text, and nothing is kept. Spec: compatible-clients/Files in OpenAI's form."""
    found = await client.audio.transcriptions.create(
        file=FILE, model="whisper-1", language="en", prompt="Names: Ada", temperature=0
    )

    assert found.text == SAID
    assert found.usage is not None
    assert (found.usage.type, getattr(found.usage, "seconds", None)) == ("duration", 2)
    assert host.asked == ["en"]
    await nothing_is_left(service)


async def test_text_and_subtitles(client: AsyncOpenAI) -> None:
    """As the command writes them; players can read them."""
    create = client.audio.transcriptions.create
    assert (
        await create(file=FILE, model="whisper-1", response_format="text") == "And so\nask not\n"
    )
    for form_ in ("srt", "vtt"):
        found: Any = await create(file=FILE, model="whisper-1", response_format=form_)
        cues = pysubs2.SSAFile.from_string(found)
        assert " ".join(cue.plaintext.replace("\n", " ") for cue in cues) == SAID
        assert next((cue.start, cue.end) for cue in cues) == (0, 1000)


async def test_verbose_json(client: AsyncOpenAI) -> None:
    """Words and utterances with their times, as asked for."""
    create = client.audio.transcriptions.create
    both = await create(
        file=FILE,
        model="gpt-4o-transcribe",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="de",
    )
    plain = await create(file=FILE, model="gpt-4o-transcribe", response_format="verbose_json")

    assert (both.text, both.duration, both.language) == (SAID, 2.0, "german")
    assert both.words is not None
    assert [(word.word, word.start, word.end) for word in both.words] == [
        ("And", 0.0, 0.5), ("so", 0.5, 1.0), ("ask", 1.0, 1.5), ("not", 1.5, 2.0),
    ]  # fmt: skip
    assert both.segments is not None
    assert [(each.text, each.start, each.end) for each in both.segments] == [
        ("And so", 0.0, 1.0), ("ask not", 1.0, 2.0),
    ]  # fmt: skip
    assert plain.words is None
    assert plain.segments == both.segments


async def test_streaming(service: JobService, client: AsyncOpenAI) -> None:
    """Joined deltas are the text. Spec: compatible-clients/Files in OpenAI's form."""
    stream = await client.audio.transcriptions.create(
        file=FILE, model="gpt-4o-mini-transcribe", stream=True
    )
    told = [event async for event in stream]

    *deltas, done = told
    assert [each.type for each in deltas] == ["transcript.text.delta"] * 2
    assert "".join(getattr(each, "delta", "") for each in deltas) == SAID
    assert done.type == "transcript.text.done"
    assert done.text == SAID
    await nothing_is_left(service)


async def test_streaming_streams(client: AsyncOpenAI, host: FakeHost) -> None:
    """Each utterance is told while the rest is still being heard."""
    async with asyncio.timeout(60):
        stream = await client.audio.transcriptions.create(
            file=("talk.wav", b"say And so\nwait\nsay ask not"), model="whisper-1", stream=True
        )
        told = aiter(stream)
        first = await anext(told)
        assert host.waiting.is_set()
        assert not host.go_on.is_set()
        host.go_on.set()
        rest = [event async for event in told]

    assert getattr(first, "delta", None) == "And so"
    assert [event.type for event in rest] == ["transcript.text.delta", "transcript.text.done"]
    assert getattr(rest[-1], "text", None) == SAID


async def test_what_goes_wrong_in_a_stream(client: AsyncOpenAI, service: JobService) -> None:
    """It is told in the stream, which OpenAI's client raises."""
    stream = await client.audio.transcriptions.create(
        file=("talk.wav", b"say And so\nfail it is damaged: record it again"),
        model="whisper-1",
        stream=True,
    )
    told = aiter(stream)
    assert getattr(await anext(told), "delta", None) == "And so"
    with pytest.raises(openai.APIError, match="record it again"):
        await anext(told)
    await nothing_is_left(service)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
async def test_translations(tmp_path: Path) -> None:
    """A file is written down in English by a model that can."""
    host = FakeHost(HostOptions(model="base"), lambda _: None)
    async with job_service(tmp_path, host, model="base") as service, api(service) as client:
        found = await client.audio.translations.create(file=FILE, model="whisper-1")

    assert found.text == SAID
    assert host.asked == [" in English"]


async def test_models(client: AsyncOpenAI) -> None:
    """Those of OpenAI's that mean our own, and ours. Spec: compatible-clients/Models."""
    found = [model.id async for model in client.models.list()]

    assert {"whisper-1", "gpt-4o-transcribe", "livebot", "moonshine-base-en"} <= set(found)
    assert (await client.models.retrieve("whisper-1")).owned_by == "livebot"
    with pytest.raises(openai.NotFoundError) as caught:
        await client.models.retrieve("parrot")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_unknown_model(service: JobService, client: AsyncOpenAI) -> None:
    """It is not replaced by another. Spec: compatible-clients/Nothing is ignored silently."""
    with pytest.raises(openai.NotFoundError) as caught:
        await client.audio.transcriptions.create(file=FILE, model="parrot")

    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    await nothing_is_left(service)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"response_format": "doc"}, "response_format"),
        ({"include": ["logprobs"]}, "include[]"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities[]"),
        ({"stream": True, "response_format": "srt"}, "stream"),
        ({"known_speaker_names": ["Ada"]}, "known_speaker_names[]"),
    ],
)
async def test_what_cannot_be_had(
    service: JobService, client: AsyncOpenAI, given: dict[str, Any], param: str
) -> None:
    """It is said, with the field. Spec: compatible-clients/Nothing is ignored silently."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.audio.transcriptions.create(file=FILE, model="whisper-1", **given)

    assert (caught.value.param, caught.value.type) == (param, "invalid_request_error")
    await nothing_is_left(service)


async def test_other_errors_have_the_same_form(service: JobService, client: AsyncOpenAI) -> None:
    """Of a language that is not known, of a file that is none, of a form that is none."""
    create = client.audio.transcriptions.create
    with pytest.raises(openai.BadRequestError, match="language"):
        await create(file=FILE, model="moonshine-base-en", language="de")
    broken = ("talk.wav", b"fail it is damaged: record it again")
    with pytest.raises(openai.BadRequestError, match="record it again"):
        await create(file=broken, model="whisper-1")
    with pytest.raises(openai.BadRequestError, match="record it again"):
        await create(file=broken, model="whisper-1", stream=True)
    async with service.client.post("/v1/audio/transcriptions", json={}) as answer:
        body = await answer.json()
    assert answer.status == 400
    assert set(body["error"]) == {"message", "type", "param", "code"}
    async with service.client.post(
        "/v1/audio/transcriptions", data=form(b"say x", model="whisper-1", language="x" * 99)
    ) as answer:
        assert "language" in (await answer.json())["error"]["message"]
    await nothing_is_left(service)


async def test_wrong_key(service: JobService) -> None:
    """OpenAI's client knows what is wrong."""
    async with api(service, "wrong") as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.audio.transcriptions.create(file=FILE, model="whisper-1")


@pytest.mark.parametrize("stream", [False, True])
async def test_who_goes_away_leaves_nothing(
    service: JobService, host: FakeHost, *, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work ends and is erased. Spec: compatible-clients/Files leave nothing."""
    monkeypatch.setattr("livebot.api.sse.KEEPALIVE_S", 0.2)
    data = form(b"wait", model="whisper-1", stream=str(stream).lower())

    async def ask() -> None:
        address = f"http://127.0.0.1:{service.port}/v1/audio/transcriptions"
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(address, data=data) as answer,
        ):
            await answer.read()

    asking = asyncio.create_task(ask())
    await host.waiting.wait()
    asking.cancel()
    await asyncio.wait({asking})

    await nothing_is_left(service)


@pytest.mark.timeout(180)
async def test_speech_by_the_embedded_model(tmp_path: Path) -> None:
    """What somebody says is understood. Spec: compatible-clients/Files in OpenAI's form."""
    speech = recording("ls_7902")
    async with job_service(tmp_path) as service, api(service) as client:
        file = (
            (FOLDER / "ls_7902.wav").name,
            await asyncio.to_thread((FOLDER / "ls_7902.wav").read_bytes),
        )
        found = await client.audio.transcriptions.create(
            file=file,
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word"],
        )
        stream = await client.audio.transcriptions.create(
            file=file, model="whisper-1", stream=True
        )
        told = [event async for event in stream]

    assert wer(speech.text, found.text).rate < 0.2
    assert found.words
    assert "".join(getattr(each, "delta", "") for each in told) == found.text
