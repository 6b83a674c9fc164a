"""Files as jobs: give, look, cancel, fetch, erase."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from aiohttp import web

from livebot.api import auth, job_answers, sse
from livebot.api.replies import reply
from livebot.api.routes import Access, Route
from livebot.api.schemas import Message
from livebot.api.services import Services
from livebot.api.uploads import Form, read_form
from livebot.errors import NotFoundError, RequestError, StoreError
from livebot.jobs.service import Jobs as Service
from livebot.store.exporting import transcript_of
from livebot.store.records import JobOptions, JobState, Scope
from livebot.transcripts.export import FORMATS, write
from livebot.transcripts.tables import as_json

_FIELDS: Final[Mapping[str, str]] = {
    "model": "string",
    "language": "string",
    "diarize": "boolean",
    "speakers": "integer",
    "translate": "boolean",
    "keep_audio": "boolean",
    "webhook": "string",
}
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})

_USUAL = 100
_MOST = 1000

_JOB = "/jobs/{job_id}"


class Jobs:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        status, words = job_answers.JobStatus, {"words": False}
        return [
            Route(
                method="POST",
                path="/transcribe",
                handler=self._give,
                access=Access.CALLER,
                summary="Give a file; a job makes its transcript",
                form={"file": "binary", **_FIELDS},
                answers={202: job_answers.Accepted},
                is_long=True,
            ),
            _route("GET", "/status/{job_id}", self._status, "Tell how a job is, and its result",
                   {200: status}, {"result": False, **words}),
            _route("POST", "/cancel/{job_id}", self._cancel, "Cancel a job", {200: status}),
            _route("GET", "/jobs", self._list, "List jobs, newest first",
                   {200: job_answers.JobList}, {"state": False, "limit": False}),
            _route("GET", _JOB, self._show, "Tell how a job is", {200: status}),
            _route("DELETE", _JOB, self._erase, "Erase a job, its file and its transcript",
                   {200: Message}),
            Route(
                method="GET",
                path=f"{_JOB}/result",
                handler=self._result,
                access=Access.CALLER,
                summary="Fetch a transcript as txt, srt, vtt, json, md or tsv",
                query={"format": False, **words},
                answers={200: None},
            ),
            Route(
                method="GET",
                path=f"{_JOB}/events",
                handler=self._events,
                access=Access.CALLER,
                summary="Tell progress as server-sent events until the job is over",
                content={200: sse.CONTENT_TYPE},
                is_long=True,
            ),
            Route(
                method="GET",
                path="/health",
                handler=self._health,
                access=Access.OPEN,
                summary="Say how many jobs wait and are being done",
                answers={200: job_answers.JobsHealth, 503: job_answers.JobsHealth},
            ),
        ]  # fmt: skip

    async def _give(self, request: web.Request) -> web.Response:
        jobs = self._services.need_jobs()
        form = await read_form(request, jobs, _FIELDS)
        upload = form.need_file()
        try:
            options = _options(form)
        except RequestError:
            await jobs.discard(upload)
            raise
        job = await jobs.submit(_owner(request), upload, options)
        return reply(job_answers.accepted(job), status=202)

    async def _status(self, request: web.Request) -> web.Response:
        with_result = _flag(request.query, "result", default=True)
        words = _flag(request.query, "words", default=False)
        return reply(await self._told(request, with_result=with_result, words=words))

    async def _show(self, request: web.Request) -> web.Response:
        return reply(await self._told(request))

    async def _told(
        self, request: web.Request, *, with_result: bool = False, words: bool = False
    ) -> job_answers.JobStatus:
        jobs, name, scope = self._asked(request)
        job = await jobs.get(name, scope)
        result: dict[str, Any] | None = None
        if with_result and job.state is JobState.COMPLETED:
            result = await _result_of(jobs, name, scope, words=words)
        return job_answers.status(job, position=await jobs.position(job), result=result)

    async def _cancel(self, request: web.Request) -> web.Response:
        jobs, name, scope = self._asked(request)
        return reply(job_answers.status(await jobs.cancel(name, scope)))

    async def _list(self, request: web.Request) -> web.Response:
        state = request.query.get("state", "")
        if state and state not in set(JobState):
            raise RequestError(f"state must be one of {', '.join(JobState)}")
        jobs = self._services.need_jobs()
        found = await jobs.list(auth.scope(request), limit=_limit(request), state=state)
        told = [job_answers.status(job, position=await jobs.position(job)) for job in found]
        return reply(job_answers.JobList(told))

    async def _erase(self, request: web.Request) -> web.Response:
        jobs, name, scope = self._asked(request)
        await jobs.erase(name, scope)
        return reply(Message("The job, its file and its transcript are erased"))

    async def _result(self, request: web.Request) -> web.Response:
        form = request.query.get("format", "txt")
        if form not in FORMATS:
            raise RequestError(f"format must be one of {', '.join(FORMATS)}")
        words = _flag(request.query, "words", default=False)
        jobs, name, scope = self._asked(request)
        stored = await jobs.result(name, scope)
        text = await asyncio.to_thread(write, transcript_of(stored), form, words=words)
        return web.Response(
            text=text,
            content_type=job_answers.CONTENT_TYPES[form],
            charset="utf-8",
            headers={"Content-Disposition": job_answers.disposition(stored.head.title, form)},
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await sse.stream(request, _progress(*self._asked(request)))

    async def _health(self, _: web.Request) -> web.Response:
        jobs = self._services.jobs
        if jobs is None:
            return reply(job_answers.JobsHealth("off", 0, 0, 0, []))
        try:
            found = await jobs.health()
        except StoreError:
            # Why is nothing for strangers.
            return reply(job_answers.JobsHealth("degraded", 0, 0, 0, []), status=503)
        status = "degraded" if jobs.troubles() else "ok"
        return reply(
            job_answers.JobsHealth(
                status, found.workers, found.queued, found.processing, list(found.models)
            )
        )

    def _asked(self, request: web.Request) -> tuple[Service, str, Scope]:
        return self._services.need_jobs(), request.match_info["job_id"], auth.scope(request)


async def _result_of(
    jobs: Service, name: str, scope: Scope, *, words: bool
) -> dict[str, Any] | None:
    """Return a transcript as JSON; None where it was erased and its job was not."""
    try:
        stored = await jobs.result(name, scope)
    except NotFoundError:
        return None
    return await asyncio.to_thread(as_json, transcript_of(stored), words=words)


async def _progress(jobs: Service, name: str, scope: Scope) -> AsyncGenerator[bytes, None]:
    """Yield `progress` until a job is over, then `done`."""
    async with aclosing(jobs.changes(name, scope)) as changes:
        async for job in changes:
            event = "done" if job.state.is_over else "progress"
            yield sse.message(job_answers.progress(job), event=event)


def _route(
    method: str,
    path: str,
    handler: Any,
    summary: str,
    answers: dict[int, Any],
    query: dict[str, bool] | None = None,
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        access=Access.CALLER,
        summary=summary,
        answers=answers,
        query=query or {},
    )


def _owner(request: web.Request) -> str:
    return auth.scope(request).owner or ""


def _options(form: Form) -> JobOptions:
    texts = {name: form.text(name).strip() for name in _FIELDS}
    return JobOptions(
        model=texts["model"],
        language=texts["language"],
        diarize=_flag(texts, "diarize", default=False),
        speakers=_speakers(texts["speakers"]),
        translate=_flag(texts, "translate", default=False),
        keep_audio=_flag(texts, "keep_audio", default=False),
        webhook=texts["webhook"],
    )


def _speakers(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(text[:9])
    except ValueError:
        raise RequestError("speakers must be a number") from None


def _flag(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = values.get(name, str(default)).lower()
    if text not in _TRUE | _FALSE:
        raise RequestError(f"{name} must be true or false")
    return text in _TRUE


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(_USUAL))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST):
        raise RequestError(f"limit must be a number from 1 to {_MOST}")
    return int(text)
