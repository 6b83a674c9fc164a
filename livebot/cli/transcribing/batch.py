"""Having recordings recognised, several at a time; what fails is told, and the others go on."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from livebot.cli.console import one_line
from livebot.cli.transcribing.drawing import draw
from livebot.cli.transcribing.plan import PLOT, Job, Plan
from livebot.cli.transcribing.results import InOrder, json_line, print_text
from livebot.cli.transcribing.screen import Screen
from livebot.cli.transcribing.writing import WritingError, write_file
from livebot.errors import LivebotError
from livebot.recognising import OnProgress
from livebot.transcripts.clock import short
from livebot.transcripts.export import write
from livebot.transcripts.model import Transcript
from livebot.transcripts.tables import as_json


class Recognise(Protocol):
    """Makes a transcript of a recording."""

    def __call__(self, path: Path, source: str, on_progress: OnProgress) -> Awaitable[Transcript]:
        """Return it.

        Raises:
            LivebotError: It cannot be had.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How.

    Attributes:
        at_once: Recordings at the same time.
        words: Whether results have the times of all words.
        as_json: Whether stdout gets a line of JSON per recording, as soon as it is finished.
        tell_language: Whether it is told which language was detected.
    """

    at_once: int = 1
    words: bool = False
    as_json: bool = False
    tell_language: bool = False


class Batch:
    """Recordings on their way.

    Args:
        plan: What is to be done.
        recognise: Makes the transcripts.
        screen: Where progress and problems are told.
        manner: How.

    Attributes:
        failed: How many have failed.
    """

    def __init__(self, plan: Plan, recognise: Recognise, screen: Screen, manner: Manner) -> None:
        self._plan = plan
        self._recognise = recognise
        self._screen = screen
        self._manner = manner
        self._printed = InOrder(self._print, headings=plan.headings)
        self.failed = 0

    async def run(self) -> None:
        """Do all of it.

        Raises:
            EngineError: (in a group) No recording can be recognised any more.
            WritingError: (in a group) stdout does not take it.
        """
        jobs = iter(enumerate(self._plan.jobs))
        async with asyncio.TaskGroup() as group:
            for number in range(min(self._manner.at_once, len(self._plan.jobs))):
                group.create_task(self._work(jobs), name=f"transcribe-{number}")

    def fail(self, name: str, text: str) -> None:
        """Tell what does not work with a recording."""
        self.failed += 1
        self._screen.problem(name, text)
        if self._manner.as_json:
            self._print(json_line({"source": name, "error": text}))

    async def _work(self, jobs: Iterator[tuple[int, Job]]) -> None:
        for number, job in jobs:
            name = job.input.name
            try:
                await self._do(number, job)
            except _StdoutError as exc:
                raise exc.fault from exc
            except LivebotError as exc:
                self.fail(name, str(exc))
                self._printed.leave_out(number)
            finally:
                self._screen.finished(name)

    async def _do(self, number: int, job: Job) -> None:
        name = job.input.name
        loop = asyncio.get_running_loop()
        began = loop.time()

        def progress(heard_s: float, total_s: float) -> None:
            self._screen.progress(name, heard_s, total_s)

        transcript = await self._recognise(job.input.path, name, progress)
        for form, path in job.outputs:
            if form == PLOT:
                text = await draw(job.input.path, transcript)
            else:
                text = write(transcript, form, words=self._manner.words)
            await asyncio.to_thread(write_file, path, text)
        self._screen.finished(name)
        self._screen.note(f"{name}: {self._summary(transcript, job, loop.time() - began)}")
        try:
            self._give_out(number, job, transcript)
        except WritingError as exc:
            raise _StdoutError(exc) from exc

    def _give_out(self, number: int, job: Job, transcript: Transcript) -> None:
        if self._manner.as_json:
            outputs = [str(path) for _, path in job.outputs]
            found = as_json(transcript, words=self._manner.words)
            self._print(json_line(found | ({"outputs": outputs} if outputs else {})))
        if self._plan.printed:
            text = write(transcript, self._plan.printed, words=self._manner.words)
            self._printed.put(number, one_line(job.input.name), text)

    def _print(self, text: str) -> None:
        with self._screen.paused():
            print_text(text)

    def _summary(self, transcript: Transcript, job: Job, took_s: float) -> str:
        """Return what came of a recording, on one line."""
        facts = [f"{short(transcript.duration)} in {took_s:.1f} s"]
        if took_s > 0:
            facts[0] += f" ({transcript.duration / took_s:.1f}x)"
        if not transcript.utterances:
            facts.append("nobody speaks in it")
        elif self._manner.tell_language:
            facts.append(f"language {_language(transcript)}")
        if transcript.speakers:
            facts.append(f"{len(transcript.speakers)} speaking")
        where = ", ".join(str(path) for _, path in job.outputs)
        return ", ".join(facts) + (f" -> {where}" if where else "")


class _StdoutError(Exception):
    """Nothing can be printed any more.

    Args:
        fault: Why.
    """

    def __init__(self, fault: WritingError) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _language(transcript: Transcript) -> str:
    odds = transcript.language_probability
    sure = "" if odds is None else f" (probability {odds:.2f})"
    return f"{transcript.language}{sure}"
