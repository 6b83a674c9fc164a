"""Files under way: each request is a task, and each task is exactly one answer.

How a task ends says what is answered, also where it never began: whoever cancels in the same
breath in which they asked is answered, too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from livebot.daemon import answers
from livebot.daemon.answers import Answer
from livebot.daemon.faults import CANCELED, STOPPING, noted
from livebot.daemon.host import Host
from livebot.daemon.requests import Name, Recognise
from livebot.daemon.sources import Sources
from livebot.errors import EngineBusyError, EngineError, LivebotError
from livebot.stt.diarize.turns import Turn
from livebot.stt.host.messages import Progress
from livebot.transcripts.model import Transcript
from livebot.transcripts.of import transcript
from livebot.transcripts.speakers import assign

PROGRESS_EVERY_S = 0.5

FindTurns: TypeAlias = Callable[[Path, int | None], Awaitable[Sequence[Turn]]]


class _Progress:
    """Tells a client how far its file is: now and then, and never backwards.

    Args:
        request: Whose.
        say: Tells it.
    """

    def __init__(self, request: Recognise, say: Callable[[Answer], None]) -> None:
        self._request = request
        self._say = say
        self._now = asyncio.get_running_loop().time
        self._next = self._now()
        self._said_s, self._part = -1.0, 0.0

    def __call__(self, progress: Progress) -> None:
        """Take news in."""
        part = progress.heard_s / progress.total_s if progress.total_s else 0.0
        # As it is said: less than that is no news.
        heard_s = round(progress.heard_s, answers.DIGITS)
        is_further = progress.heard_s > 0 and heard_s > self._said_s and part >= self._part
        if not is_further or self._now() < self._next:
            return
        self._next = self._now() + PROGRESS_EVERY_S
        self._said_s, self._part = heard_s, part
        self._say(answers.progress(self._request, progress.heard_s, progress.total_s))


class Recognitions:
    """The files that clients wait for.

    Args:
        host: Recognises them.
        sources: Has them.
        models: The names that requests may use.
        find_turns: Finds who speaks when in a file, of so many people.
        limit: How many requests may be under way; those beyond are refused.
        say: Tells clients what must be told.
        hint: Tells them what may be left out where they do not keep up.
        group: Whose tasks they are.
    """

    def __init__(
        self,
        host: Host,
        sources: Sources,
        *,
        models: Collection[str],
        find_turns: FindTurns,
        limit: int,
        say: Callable[[Answer], None],
        hint: Callable[[Answer], None],
        group: asyncio.TaskGroup,
    ) -> None:
        self._host = host
        self._sources = sources
        self._models = models
        self._find_turns = find_turns
        self._one_by_one = asyncio.Lock()
        self._limit = limit
        self._say = say
        self._hint = hint
        self._group = group
        self._running: dict[asyncio.Task[Answer], Name | None] = {}
        self._reason = ""

    @property
    def tasks(self) -> Collection[asyncio.Task[Answer]]:
        """Return what is under way."""
        return self._running.keys()

    def accept(self, request: Recognise) -> None:
        """Begin with a file, or refuse it; it is answered later, in any case."""
        if len(self._running) >= self._limit:
            reason = f"{self._limit} requests are under way: wait for answers before asking more"
            self._say(answers.failed(answers.about(request), reason, busy=True))
            return
        task = self._group.create_task(self._run(request), name="daemon-request")
        self._running[task] = request.id
        task.add_done_callback(partial(self._answer, request))

    def cancel(self, name: Name) -> bool:
        """Give up the requests of this id; say whether there are any."""
        found = [task for task, known in self._running.items() if _is_same(known, name)]
        for task in found:
            task.cancel()
        return bool(found)

    def stop(self) -> None:
        """Give up all of them."""
        self._reason = STOPPING
        for task in self._running:
            task.cancel()

    def _answer(self, request: Recognise, task: asyncio.Task[Answer]) -> None:
        del self._running[task]
        if not task.cancelled():
            self._say(task.result())
        elif self._reason:
            self._say(answers.failed(answers.about(request), self._reason))
        else:
            self._say(answers.failed(answers.about(request), CANCELED, canceled=True))

    async def _run(self, request: Recognise) -> Answer:
        try:
            return await self._recognise(request)
        except EngineBusyError as exc:
            return answers.failed(answers.about(request), str(exc), busy=True)
        except LivebotError as exc:
            return answers.failed(answers.about(request), str(exc))
        except Exception as exc:  # noqa: BLE001 - one client's request must not end the others'
            return answers.failed(answers.about(request), noted(exc))

    async def _recognise(self, request: Recognise) -> Answer:
        if request.model and request.model not in self._models:
            known = ", ".join(sorted(self._models))
            raise EngineError(f"there is no such model; have {known}", retryable=False)
        progress = _Progress(request, self._hint) if request.progress else _silent
        async with self._sources.file(request.source) as path:
            found = await self._host.recognise(
                path,
                language=request.language or "",
                model=request.model or "",
                on_progress=progress,
            )
            said = transcript(found, "")
            if request.wants_speakers:
                said = await self._with_speakers(said, path, request.speakers)
        return answers.recognised(request, said, speakers=request.wants_speakers)

    async def _with_speakers(
        self, said: Transcript, path: Path, speakers: int | None
    ) -> Transcript:
        # A process of its own each time, with memory of its own.
        async with self._one_by_one:
            turns = await self._find_turns(path, speakers)
        return replace(said, utterances=assign(said.utterances, turns))


def _is_same(known: Name | None, name: Name) -> bool:
    return type(known) is type(name) and known == name


def _silent(_: Progress) -> None:
    """Tell nobody."""
