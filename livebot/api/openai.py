"""OpenAI's routes for files, as its clients expect them.

A file is a job that lives as long as its client waits: then it is erased with all that came of it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final

from aiohttp import web

from livebot.api import openai_answers, sse
from livebot.api.auth import scope
from livebot.api.openai_answers import WORDS, Streamed, Wanted
from livebot.api.openai_errors import OpenAIError, shape
from livebot.api.replies import reply
from livebot.api.routes import Access, Handler, Route
from livebot.api.services import Services
from livebot.api.shaped import shaped
from livebot.api.uploads import read_form
from livebot.errors import BusyError, LivebotError, NotFoundError, RequestError
from livebot.jobs.service import Jobs
from livebot.store.records import Job, JobState, Scope, StoredTranscript

GONE_S: Final = 0.5
"""How soon it is noticed that a client is gone."""

LATE_S: Final = 10.0
"""What goes wrong later is told in the stream, which may have begun: the first sign of life is
sent after 15 s."""

_FIELDS: Final = {
    "file": "binary",
    "model": "string",
    "language": "string",
    "prompt": "string",
    "temperature": "number",
    "response_format": "string",
    WORDS: "string",
    "stream": "boolean",
}

_ERRORS: Final = dict.fromkeys((400, 404, 408, 413, 500, 503), OpenAIError)


class OpenAI:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            _post("transcriptions", self._transcribe, "Transcribe a file, as OpenAI does"),
            _post("translations", self._translate, "Write a file down in English, as OpenAI does"),
            _get("/v1/models", self._models, "List models, as OpenAI does"),
            _get("/v1/models/{model}", self._model, "Show a model, as OpenAI does"),
        ]

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, translate=False)

    async def _translate(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, translate=True)

    async def _models(self, _: web.Request) -> web.Response:
        return reply({"object": "list", "data": openai_answers.models()})

    async def _model(self, request: web.Request) -> web.Response:
        return reply(openai_answers.model(request.match_info["model"]))

    async def _answer(self, request: web.Request, *, translate: bool) -> web.StreamResponse:
        jobs = self._services.need_jobs()
        whose = scope(request)
        form = await read_form(request, jobs, _FIELDS, ignores_others=True)
        try:
            upload = form.need_file()
            wanted = openai_answers.parse(form.values, translate=translate)
        except LivebotError:
            if form.upload is not None:
                await jobs.discard(form.upload)
            raise
        job = await jobs.submit(whose.owner or "", upload, wanted.options, ephemeral=True)
        async with _awaited(jobs, job, whose):
            if wanted.stream:
                return await sse.stream(request, _stream(jobs, job, whose, wanted))
            stored = await _unless_gone(request, _result(jobs, job, whose))
            content_type, body = await asyncio.to_thread(openai_answers.answer, stored, wanted)
        return web.Response(body=body, content_type=content_type, charset="utf-8")


@asynccontextmanager
async def _awaited(jobs: Jobs, job: Job, whose: Scope) -> AsyncIterator[None]:
    """Erase a job in the end, done or not."""
    try:
        yield
    finally:
        with suppress(NotFoundError):
            await jobs.erase(job.id, whose)


async def _result(jobs: Jobs, job: Job, whose: Scope) -> StoredTranscript:
    """Wait for what comes of a job; raises what `_finished()` does."""
    async with aclosing(jobs.changes(job.id, whose)) as changes:
        async for found in changes:
            job = found
    return await _finished(jobs, job, whose)


async def _finished(jobs: Jobs, job: Job, whose: Scope) -> StoredTranscript:
    """Return what came of a job that is over.

    Raises:
        RequestError: Nothing: its file cannot be read, or not be understood.
        BusyError: Somebody canceled it.
    """
    if job.state is JobState.FAILED:
        raise RequestError(job.error)
    if job.state is not JobState.COMPLETED:
        raise BusyError("the file was not transcribed: it was canceled; send it again")
    return await jobs.result(job.id, whose)


async def _unless_gone(
    request: web.Request, work: Coroutine[Any, Any, StoredTranscript]
) -> StoredTranscript:
    """Wait for work as long as somebody waits for its result.

    Raises:
        ConnectionResetError: Nobody does.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=GONE_S)
            if request.transport is None and not task.done():
                raise ConnectionResetError("the client is gone")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def _stream(
    jobs: Jobs, job: Job, whose: Scope, wanted: Wanted
) -> AsyncGenerator[bytes, None]:
    """Yield what is understood."""
    loop = asyncio.get_running_loop()
    late = loop.time() + LATE_S
    told = Streamed(wanted)
    try:
        with jobs.hearing(job.id) as texts:
            async with aclosing(jobs.changes(job.id, whose)) as changes:
                async for found in changes:
                    for message in told.heard(texts):
                        yield sse.message(message)
                    job = found
        stored = await _finished(jobs, job, whose)
    except LivebotError as exc:
        if not told.text and loop.time() < late:
            raise
        yield sse.message(shape(web.HTTPInternalServerError.status_code, str(exc), exc)[0])
        return
    for message in await asyncio.to_thread(told.finish, stored):
        yield sse.message(message)


def _post(what: str, handler: Handler, summary: str) -> Route:
    return Route(
        method="POST",
        path=f"/v1/audio/{what}",
        handler=shaped(handler, shape),
        access=Access.CALLER,
        summary=summary,
        form=_FIELDS,
        answers={200: dict[str, Any], **_ERRORS},
        is_long=True,
    )


def _get(path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=shaped(handler, shape),
        access=Access.CALLER,
        summary=summary,
        answers={200: dict[str, Any], **_ERRORS},
    )
