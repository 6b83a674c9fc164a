"""Translation by whatever provider Nextcloud has, through its TaskProcessing.

Each text is a task that Nextcloud keeps for a week, unless it is deleted: so it is, when it is
over. Texts are speech: they are in no log and in no error.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import structlog

from livebot.errors import NextcloudError, TranslationError, TranslationUnavailableError
from livebot.nextcloud import task_processing
from livebot.nextcloud.cache import Cache, Kept
from livebot.nextcloud.client import Ocs
from livebot.nextcloud.ocs import AnswerError
from livebot.nextcloud.task_processing import DETECT, OLD_ROOT, ROOT, State, Task
from livebot.translator import TranslationLanguages

log = structlog.get_logger("translator")

T = TypeVar("T")

MOST_TASKS = 4
"""Texts that are translated at a time; Nextcloud's workers serve others too."""

MOST_WAITING = 64
"""Texts that wait for their turn; more are refused, so that readers get the original soon."""

MOST_DELETIONS = 64
"""Tasks that are being deleted; more are left to Nextcloud, which deletes them after a week."""

LAST_DELETIONS_S = 1.0
"""How long a stop waits for them."""

LANGUAGES_WITHIN_S = 2.5
TYPES_WITHIN_S = 1.2
"""Deadlines of the list, and of each of the two places where it may be."""

LANGUAGES_FRESH_S = 300.0
LANGUAGES_HOLD_S = 3600.0
NONE_FRESH_S = 30.0
"""How long it is remembered that there is no provider: somebody may be installing one."""

ASK_WITHIN_S = 10.0
"""The deadline of one question about a task."""

TASK_WITHIN_S = 60.0
"""No text is worth waiting for longer, whatever the caller thinks."""

FIRST_POLL_S = 0.25
MOST_POLL_S = 2.0
POLL_GROWTH = 1.4
MOST_LOST_POLLS = 3
"""Questions in a row that may fail."""


class NextcloudTranslator:
    """Implements `livebot.translator.Translator`; its context owns what goes on behind.

    Args:
        nextcloud: Who is asked.
        app_id: As it is registered with AppAPI.
    """

    def __init__(self, nextcloud: Ocs, *, app_id: str) -> None:
        self._nextcloud = nextcloud
        self._app_id = app_id
        self._root = ROOT
        self._cache = Cache(self._fetch, "translation languages", LANGUAGES_WITHIN_S)
        self._turns = asyncio.Semaphore(MOST_TASKS)
        self._waiting = 0
        self._deletions = 0
        self._behind: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Delete the last tasks, and end what is under way; what is left goes after a week."""
        if self._behind:
            await asyncio.wait(self._behind, timeout=LAST_DELETIONS_S)
        for task in self._behind:
            task.cancel()
        await asyncio.gather(*self._behind, return_exceptions=True)

    async def languages(self) -> TranslationLanguages:
        """Say what can be translated.

        Raises:
            TranslationUnavailableError: Nothing can.
            TranslationError: It cannot be found out now.
        """
        try:
            found = await self._cache.get()
        except NextcloudError as exc:
            raise TranslationError(f"translation languages are not known: {exc}") from exc
        if found is None:
            raise _unavailable()
        return found

    async def translate(self, text: str, *, origin: str, target: str) -> str:
        """Return the text in another language.

        Raises:
            TranslationUnavailableError: Nothing can be translated here.
            TranslationError: This text cannot, or not now.
        """
        known = await self.languages()
        source = task_processing.find(origin, known.origins)
        if source is None and DETECT in known.origins:
            source = DETECT
        goal = task_processing.find(target, known.targets)
        if source is None or goal is None:
            raise TranslationError(f"Nextcloud does not translate {origin} into {target}")
        body = task_processing.schedule(text, source, goal, self._app_id)
        async with self._turn():
            return await self._run(body)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise TranslationError("too many texts wait for their translation")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    async def _run(self, body: dict[str, object]) -> str:
        """Have one text translated, and leave nothing of it behind."""
        # Whoever gives up meanwhile cannot keep the task from being known, and so deleted.
        scheduled = self._start(self._schedule(body))
        scheduled.add_done_callback(_heed)
        try:
            async with asyncio.timeout(TASK_WITHIN_S):
                task = await asyncio.shield(scheduled)
                return await self._result(task)
        except TimeoutError:
            raise TranslationError(f"no translation within {TASK_WITHIN_S:g} s") from None
        finally:
            self._delete_behind(scheduled)

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="translation")
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
        return task

    async def _schedule(self, body: dict[str, object]) -> Task:
        try:
            data = await self._nextcloud.ask(
                "POST", f"{self._root}/schedule", body=body, within_s=ASK_WITHIN_S
            )
        except AnswerError as exc:
            if exc.has_no_provider:
                self._cache.forget()
                raise _unavailable() from exc
            raise TranslationError(f"no translation: {exc}") from exc
        except NextcloudError as exc:
            raise TranslationError(f"no translation: {exc}") from exc
        return task_processing.task(data)

    async def _result(self, task: Task) -> str:
        """Ask until it is done: often at first, more seldom later."""
        pause_s, lost = FIRST_POLL_S, 0
        while task.state is State.WAITS:
            await asyncio.sleep(pause_s)
            pause_s = min(MOST_POLL_S, pause_s * POLL_GROWTH)
            try:
                data = await self._nextcloud.ask("GET", self._path(task), within_s=ASK_WITHIN_S)
            except NextcloudError as exc:
                lost += 1
                if lost >= MOST_LOST_POLLS or (isinstance(exc, AnswerError) and exc.is_unknown):
                    raise TranslationError(f"a translation is lost: {exc}") from exc
            else:
                lost = 0
                task = task_processing.task(data)
        if task.state is State.FAILED:
            raise TranslationError("Nextcloud's provider could not translate a text; see its log")
        return task.output

    def _path(self, task: Task) -> str:
        return f"{self._root}/task/{task.number}"

    def _delete_behind(self, scheduled: asyncio.Task[Task]) -> None:
        if self._root == ROOT and self._deletions < MOST_DELETIONS:
            self._deletions += 1
            self._start(self._delete(scheduled))

    async def _delete(self, scheduled: asyncio.Task[Task]) -> None:
        try:
            task = await scheduled
            await self._nextcloud.ask("DELETE", self._path(task), within_s=ASK_WITHIN_S)
        except (NextcloudError, TranslationError) as exc:
            log.debug("translation_not_deleted", why=type(exc).__name__)
        finally:
            self._deletions -= 1

    async def _fetch(self) -> Kept[TranslationLanguages | None]:
        async def ask(root: str) -> object:
            path = f"{root}/tasktypes"
            return await self._nextcloud.ask("GET", path, within_s=TYPES_WITHIN_S)

        try:
            data, self._root = await ask(ROOT), ROOT
        except AnswerError as exc:
            if not exc.is_unknown:
                raise
            data, self._root = await ask(OLD_ROOT), OLD_ROOT
        found = task_processing.languages(data)
        return Kept(found, LANGUAGES_FRESH_S if found else NONE_FRESH_S, LANGUAGES_HOLD_S)


def _heed(scheduled: asyncio.Task[Task]) -> None:
    """Take note of a fault, where nobody waits for the task any more."""
    if not scheduled.cancelled():
        scheduled.exception()


def _unavailable() -> TranslationUnavailableError:
    return TranslationUnavailableError(
        "Nextcloud has no provider for translations. Install one, like translate2 or"
        " integration_openai, and choose it in the settings for artificial intelligence."
    )
