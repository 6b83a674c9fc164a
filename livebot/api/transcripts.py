"""Transcripts: look, search, fetch, erase."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import hdrs, web

from livebot import logs
from livebot.api import kept
from livebot.api.auth import caller, scope, share
from livebot.api.backends import Backends
from livebot.api.bodies import room_token
from livebot.api.downloads import attachment, check_form, keep_private, name_of, transcript_file
from livebot.api.replies import reply
from livebot.api.routes import Access, Route
from livebot.api.schemas import Error
from livebot.api.services import Services
from livebot.errors import BusyError, NotFoundError, RequestError
from livebot.rooms.keeping import Erasure
from livebot.store.exporting import transcript_of
from livebot.store.folding import clean
from livebot.store.records import EVERYTHING, Kind, Scope, StoredTranscript

log = logs.get("api")

PATH = "/api/v1/transcripts"

MOST_AT_ONCE = 1000
USUAL_AT_ONCE = 50

LONGEST_PERSON = 512
"""Characters; Nextcloud's accounts have 64, and guests call themselves as they like."""

ERASING_S = 60.0
"""How long erasing may take: every byte of a large database may have to be written anew."""

_ID = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{1,9}")

_NONE = "there is no such transcript"


class Transcripts:
    """The routes.

    Args:
        services: What there is.
        backends: The Nextclouds.
    """

    def __init__(self, services: Services, backends: Backends) -> None:
        self._services = services
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [*self._reading(), *self._erasing(), *self._listening()]

    def _reading(self) -> list[Route]:
        wanted = ("query", "kind", "room", "person", "limit", "cursor")
        return [
            Route(
                method="GET",
                path=PATH,
                handler=self._find,
                access=Access.CALLER,
                summary="List or search transcripts, newest first",
                query=dict.fromkeys(wanted, False) | self._backends.query,
                answers={200: kept.Heads},
            ),
            Route(
                method="GET",
                path=PATH + "/{transcript}",
                handler=self._show,
                access=Access.SHARED,
                summary="Read a transcript, or fetch it as a file",
                query={"format": False, "words": False},
                answers={200: kept.Transcript, 404: Error},
            ),
        ]

    def _erasing(self) -> list[Route]:
        return [
            Route(
                method="DELETE",
                path=PATH,
                handler=self._erase_some,
                access=Access.CALLER,
                summary="Erase all of a room, or what a person said, with its audio",
                query={"room": False, "person": False} | self._backends.query,
                answers={200: kept.Erased},
                is_long=True,
            ),
            Route(
                method="DELETE",
                path=PATH + "/{transcript}",
                handler=self._erase,
                access=Access.CALLER,
                summary="Erase a transcript with its audio",
                answers={200: kept.Erased, 404: Error},
                is_long=True,
            ),
        ]

    def _listening(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path=PATH + "/{transcript}/audio",
                handler=self._sounds,
                access=Access.CALLER,
                summary="List the pieces of audio of a transcript",
                answers={200: kept.Sounds, 404: Error},
            ),
            Route(
                method="GET",
                path=PATH + "/{transcript}/audio/{number}",
                handler=self._sound,
                access=Access.CALLER,
                summary="Fetch a piece of audio",
                answers={200: None, 404: Error},
                content={200: "audio/ogg"},
                is_long=True,
            ),
        ]

    # Read.

    async def _find(self, request: web.Request) -> web.Response:
        asked = request.query
        page = await self._services.need_store().transcripts.find(
            self._scope(request),
            query=asked.get("query", ""),
            kind=_kind(asked.get("kind", "")),
            room=_room(request),
            person=_person(request),
            limit=_limit(asked.get("limit")),
            cursor=asked.get("cursor", ""),
        )
        return _private(reply(kept.heads(page)))

    async def _show(self, request: web.Request) -> web.Response:
        form, words = request.query.get("format"), _is_true(request, "words")
        if form is not None:
            check_form(form)
        found = await self._get(request)
        if form is not None:
            title = found.head.title
            return await transcript_file(transcript_of(found), form, title=title, words=words)
        told = kept.transcript(found, words=words, people=share(request) is None)
        return _private(reply(told))

    async def _get(self, request: web.Request) -> StoredTranscript:
        """Return the transcript that is asked for.

        Raises:
            NotFoundError: There is none that whoever asks may see.
        """
        ident = _ident(request)
        whose = scope(request)
        if (link := share(request)) is not None:
            if (link.kind, link.target) != ("transcript", ident):
                raise NotFoundError(_NONE)
            whose = EVERYTHING
        return await self._services.need_store().transcripts.get(ident, whose)

    # Erase.

    async def _erase(self, request: web.Request) -> web.Response:
        ident = _ident(request)
        store = self._services.need_store()
        async with _in_time():
            await self._forget(request, Erasure(transcript=ident))
            await store.transcripts.erase(ident, scope(request))
        _note(request, "transcript_erased")
        return reply(kept.Erased(transcripts=1))

    async def _erase_some(self, request: web.Request) -> web.Response:
        room, person = _room(request), _person(request)
        if bool(room) == bool(person):
            raise RequestError("say what to erase: ?room=TOKEN or ?person=ACCOUNT")
        store, whose = self._services.need_store(), self._scope(request)
        async with _in_time():
            # What runs first: what it has told the store until then is erased there.
            await self._forget(request, Erasure(room=room, person=person))
            if room:
                count = await store.transcripts.erase_room(room, whose)
                erased = kept.Erased(transcripts=count)
            else:
                count = await store.transcripts.erase_person(person, whose)
                erased = kept.Erased(utterances=count)
        _note(request, "room_erased" if room else "person_erased", count=count)
        return reply(erased)

    async def _forget(self, request: web.Request, erasure: Erasure) -> None:
        for backend in self._backends.visible(request):
            await backend.rooms.forget(erasure)
        if self._services.live is not None and not erasure.room:
            await self._services.live.forget(
                scope(request).owner, session=erasure.transcript, person=erasure.person
            )

    # Listen.

    async def _sounds(self, request: web.Request) -> web.Response:
        await self._get(request)
        found = await self._services.need_store().audio.of(_ident(request))
        told = [
            kept.Sound(number, round(start, 3), round(end, 3), person)
            for number, (person, start, end, _) in enumerate(found)
        ]
        return _private(reply(kept.Sounds(told)))

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        transcript = await self._get(request)
        found = await self._services.need_store().audio.of(_ident(request))
        if not _NUMBER.fullmatch(number) or int(number) >= len(found):
            raise NotFoundError("there is no such piece of audio")
        path = found[int(number)][3]
        if not await asyncio.to_thread(path.is_file):
            raise NotFoundError("there is no such piece of audio any more")
        # What people upload may be anything: a browser is to keep it, and run nothing of it.
        kind = "audio/ogg" if path.suffix == ".ogg" else "application/octet-stream"
        name = f"{name_of(transcript.head.title)} {number}{path.suffix}"
        answer = web.FileResponse(path, headers={hdrs.CONTENT_TYPE: kind})
        answer.headers[hdrs.CONTENT_DISPOSITION] = attachment(name)
        keep_private(answer)
        return answer

    def _scope(self, request: web.Request) -> Scope:
        """Return what the caller may see; of one backend only where it is named."""
        whose = scope(request)
        if "backend" in request.query and self._backends.are_several:
            return replace(whose, backend=self._backends.of(request).name)
        return whose


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Give up what takes too long.

    Raises:
        BusyError: It did; what is erased until then stays erased.
    """
    try:
        async with asyncio.timeout(ERASING_S):
            yield
    except TimeoutError:
        raise BusyError(f"not erased within {ERASING_S:g} s; try again later") from None


def _ident(request: web.Request) -> str:
    ident = request.match_info["transcript"]
    if not _ID.fullmatch(ident):
        raise NotFoundError(_NONE)
    return ident


def _room(request: web.Request) -> str:
    """Return the room that is asked about; empty where none is."""
    text = request.query.get("room", "")
    return room_token(text) if text else ""


def _person(request: web.Request) -> str:
    """Return the person who is asked about; empty where nobody is.

    Raises:
        RequestError: Nobody is called so, and nobody in particular is not meant.
    """
    text = request.query.get("person", "")
    if text and (len(text) > LONGEST_PERSON or not clean(text).strip()):
        raise RequestError(
            f"person must be an account or guest:NAME, of at most {LONGEST_PERSON} characters"
        )
    return text


def _kind(text: str) -> str:
    if text and text not in {kind.value for kind in Kind}:
        raise RequestError(f"kind must be one of {', '.join(Kind)}")
    return text


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_AT_ONCE
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MOST_AT_ONCE:
        raise RequestError(f"limit must be a number from 1 to {MOST_AT_ONCE}")
    return int(text)


def _is_true(request: web.Request, name: str) -> bool:
    found = request.query.get(name, "false")
    if found not in {"true", "false"}:
        raise RequestError(f"{name} must be true or false")
    return found == "true"


def _private(answer: web.Response) -> web.Response:
    keep_private(answer)
    return answer


def _note(request: web.Request, event: str, **more: object) -> None:
    log.info(event, caller=caller(request).name, **more)
