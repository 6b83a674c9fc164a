"""What Nextcloud Talk asks of its app `live_transcription`, besides captions themselves.

It waits 3 s for each answer, so nothing here waits for a peer; but which languages can be
translated may have to be asked for, and has its own, shorter deadline.
"""

import asyncio

from aiohttp import web

from livebot import __version__, logs
from livebot.api import bodies, schemas
from livebot.api.backends import Backend, Backends, note
from livebot.api.replies import reply
from livebot.api.requests import read
from livebot.api.routes import Access, Handler, Route
from livebot.errors import NotFoundError, TranslationError, TranslationUnavailableError
from livebot.translator import TranslationLanguages

log = logs.get("api")

TRANSLATIONS_S = 2.5
"""So long may it take to find out what can be translated."""


class Talk:
    """Talk's routes.

    Args:
        backends: The Talks.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        error = schemas.Error
        return [
            self._post(
                "/api/v1/call/set-language",
                self._set_language,
                "Change what is spoken in a room",
                bodies.SetLanguage,
                {200: schemas.Message, 404: error},
            ),
            self._post(
                "/api/v1/call/leave",
                self._leave,
                "End captions in a room, if there are any",
                bodies.Leave,
                {200: schemas.Message},
            ),
            self._post(
                "/api/v1/translation/set-target-language",
                self._set_target,
                "Change the language that one reader reads in",
                bodies.SetTarget,
                {200: schemas.Message, 404: error, 412: error, 550: error},
            ),
            self._get(
                "/api/v1/translation/languages",
                self._translations,
                "Say what can be translated",
                {200: schemas.Translations, 550: error},
                roomToken=False,
            ),
            self._get(
                "/capabilities",
                self._capabilities,
                "Say what Talk may offer",
                {200: schemas.Capabilities},
            ),
        ]

    def _post(
        self, path: str, handler: Handler, summary: str, body: type, answers: dict[int, object]
    ) -> Route:
        return Route(
            method="POST",
            path=path,
            handler=handler,
            access=Access.CALLER,
            summary=summary,
            query=self._backends.query,
            body=body,
            answers=answers,
        )

    def _get(
        self,
        path: str,
        handler: Handler,
        summary: str,
        answers: dict[int, object],
        **query: bool,
    ) -> Route:
        return Route(
            method="GET",
            path=path,
            handler=handler,
            access=Access.CALLER,
            summary=summary,
            query=self._backends.query | query,
            answers=answers,
        )

    async def _set_language(self, request: web.Request) -> web.Response:
        wanted = await read(request, bodies.SetLanguage)
        backend = self._backends.of(request)
        await backend.rooms.set_language(wanted.token, wanted.lang_id or None)
        note("language_set", wanted.token, request, backend)
        return reply(schemas.Message("Language set"))

    async def _leave(self, request: web.Request) -> web.Response:
        wanted = await read(request, bodies.Leave)
        backend = self._backends.of(request)
        try:
            await backend.rooms.disable(wanted.token)
        except NotFoundError:
            return reply(schemas.Message("There were no captions to end"))
        note("room_disabled", wanted.token, request, backend)
        return reply(schemas.Message("Transcription stopped"))

    async def _set_target(self, request: web.Request) -> web.Response:
        wanted = await read(request, bodies.SetTarget)
        backend = self._backends.of(request)
        await backend.rooms.set_target(wanted.token, wanted.reader, wanted.lang_id or None)
        note("target_set", wanted.token, request, backend)
        return reply(schemas.Message("Target language set"))

    async def _translations(self, request: web.Request) -> web.Response:
        """Answer for all rooms alike; Talk names one all the same."""
        if (token := request.query.get("roomToken")) is not None:
            bodies.room_token(token)
        return reply(schemas.translations(await _translated(self._backends.of(request))))

    async def _capabilities(self, request: web.Request) -> web.Response:
        backend = self._backends.of(request)
        translated = None
        if backend.rooms.translates:
            try:
                translated = await _translated(backend)
            except TranslationError as exc:
                # Captions are there all the same, and Talk asks anew each time.
                log.warning("translation_languages_unknown", error=str(exc), backend=backend.name)
        return reply(schemas.capabilities(__version__, backend.rooms.languages, translated))


async def _translated(backend: Backend) -> TranslationLanguages:
    """Return what can be translated.

    Raises:
        TranslationUnavailableError: Nothing can.
        TranslationError: It cannot be found out now.
    """
    if not backend.rooms.translates:
        raise TranslationUnavailableError("nothing can be translated here")
    deadline = asyncio.timeout(TRANSLATIONS_S)
    try:
        async with deadline:
            return await backend.rooms.translation_languages()
    except TimeoutError:
        if not deadline.expired():
            raise
        raise TranslationError("what can be translated is not known yet; try again") from None
