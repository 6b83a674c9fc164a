"""Captions in rooms: begin, end, look."""

from aiohttp import web

from livebot.api import bodies, schemas
from livebot.api.auth import caller
from livebot.api.backends import Backend, Backends, note
from livebot.api.replies import reply
from livebot.api.requests import read
from livebot.api.routes import Access, Route
from livebot.api.turn import check_hosts
from livebot.errors import NotFoundError, RequestError
from livebot.ids import RoomToken, TalkSessionId
from livebot.rooms.keeping import AS_SET

PATH = "/api/v1/call/transcribe"


class Calls:
    """The routes of `/api/v1/call/transcribe`.

    Args:
        backends: Where rooms begin and end.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            Route(
                method="GET",
                path=PATH,
                handler=self._list,
                access=Access.CALLER,
                summary="List the rooms",
                query=self._backends.query,
                answers={200: schemas.Rooms},
            ),
            Route(
                method="POST",
                path=PATH,
                handler=self._transcribe,
                access=Access.CALLER,
                summary="Begin captions in a room, or end them for one reader",
                query=self._backends.query,
                body=bodies.Transcribe,
                answers={200: schemas.Outcome, 550: schemas.Error},
            ),
            Route(
                method="DELETE",
                path=PATH + "/{roomToken}",
                handler=self._stop,
                access=Access.CALLER,
                summary="End captions in a room, whoever reads there",
                query=self._backends.query,
                answers={200: schemas.Outcome, 404: schemas.Error},
            ),
        ]

    async def _transcribe(self, request: web.Request) -> web.Response:
        wanted = await read(request, bodies.Transcribe)
        backend = self._backends.of(request)
        if not wanted.enable:
            return await _withdraw(request, backend, wanted)
        if wanted.reader is None:
            is_new = await _enable(request, backend, wanted)
        else:
            is_new = await _add_reader(request, backend, wanted, wanted.reader)
        return reply(_started(wanted.token, is_new=is_new))

    async def _stop(self, request: web.Request) -> web.Response:
        token = bodies.room_token(request.match_info["roomToken"])
        backend = self._backends.of(request)
        await backend.rooms.disable(token)
        note("room_disabled", token, request, backend)
        return reply(_stopped(token))

    async def _list(self, request: web.Request) -> web.Response:
        several = self._backends.are_several
        found = self._backends.visible(request)
        return reply(
            schemas.rooms((its.name if several else None, its.rooms.rooms()) for its in found)
        )


async def _enable(request: web.Request, backend: Backend, wanted: bodies.Transcribe) -> bool:
    """Serve everybody in a call."""
    if wanted.mode or wanted.translation_target_lang_id:
        raise RequestError("mode and translationTargetLangId are a reader's: add an ncSessionId")
    check_hosts(wanted.ice_servers, backend.settings)
    is_new = await backend.rooms.enable(
        wanted.token,
        wanted.language,
        wanted.ice_servers,
        owner=_owner(request),
        keeping=wanted.keeping,
    )
    note("room_enabled", wanted.token, request, backend, new=is_new)
    return is_new


async def _add_reader(
    request: web.Request, backend: Backend, wanted: bodies.Transcribe, reader: TalkSessionId
) -> bool:
    """Serve one reader more."""
    if wanted.turn_servers:
        raise RequestError("turnServers are a room's, not a reader's: leave the ncSessionId out")
    if wanted.keeping != AS_SET:
        raise RequestError(
            "store and audioConsent are a room's, not a reader's: leave the ncSessionId out"
        )
    is_new = await backend.rooms.add_reader(
        wanted.token,
        reader,
        wanted.wish,
        wanted.language,
        owner=_owner(request),
    )
    note("reader_added", wanted.token, request, backend, new_room=is_new)
    return is_new


async def _withdraw(
    request: web.Request, backend: Backend, wanted: bodies.Transcribe
) -> web.Response:
    """Serve one reader less; where there is none, the wish is fulfilled already."""
    if wanted.reader is None:
        raise RequestError("enable: false needs an ncSessionId; to end a room, send DELETE")
    try:
        await backend.rooms.remove_reader(wanted.token, wanted.reader)
    except NotFoundError:
        return reply(_stopped(wanted.token, "There were no captions to end"))
    note("reader_removed", wanted.token, request, backend)
    return reply(_stopped(wanted.token))


def _owner(request: web.Request) -> str:
    return caller(request).name


def _started(token: RoomToken, *, is_new: bool) -> schemas.Outcome:
    if is_new:
        return schemas.Outcome("started", token, "Transcription started")
    return schemas.Outcome("already running", token, "Transcription is already running")


def _stopped(token: RoomToken, message: str = "Transcription stopped") -> schemas.Outcome:
    return schemas.Outcome("stopped", token, message)
