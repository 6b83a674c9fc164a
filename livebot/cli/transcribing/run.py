"""`livebot transcribe` from its options to its exit code."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from livebot.cli.codes import FAILED, OK
from livebot.cli.console import err
from livebot.cli.host import build, check_language, check_translates
from livebot.cli.signals import run as run_until_signal
from livebot.cli.transcribing.batch import Batch, Manner
from livebot.cli.transcribing.inputs import STDIN, Found, find
from livebot.cli.transcribing.plan import Plan, Wishes, plan
from livebot.cli.transcribing.screen import Bars, Lines, Screen
from livebot.fetch.spool import spool
from livebot.recognising import FindTurns, Recogniser
from livebot.settings import Settings
from livebot.stt.diarize.turns import Turn
from livebot.stt.host.options import HostOptions
from livebot.stt.languages import AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for.

    Attributes:
        files: As they were given.
        language: A code, or `auto`.
        translate: Whether to write down in English what is said.
        forms: Of the transcripts; empty where nothing was said.
        output: A file or a folder; None for stdout.
        words: Whether results have the times of all words.
        diarize: Whether to tell speakers apart.
        speakers: How many there are; None where that is to be found.
        workers: Processes; 0 where the machine decides.
        as_json: Whether stdout is for JSON lines.
        force: Whether files that are there may be replaced.
        quiet: Whether only problems are told.
        plot: Whether there is to be a picture of each, too.
    """

    files: Sequence[str]
    language: str = AUTO
    translate: bool = False
    forms: Sequence[str] = ()
    output: str | None = None
    words: bool = False
    diarize: bool = False
    speakers: int | None = None
    workers: int = 0
    as_json: bool = False
    force: bool = False
    quiet: bool = False
    plot: bool = False


def transcribe(order: Order, options: HostOptions, settings: Settings) -> int:
    """Do it; return the exit code.

    Raises:
        ConfigError: (also in a group) What was asked for does not work.
        LivebotError: (also in a group) No recording can be recognised.
    """
    with spool(
        settings.temp_dir, retention_s=settings.temp_retention, cleanup=settings.temp_cleanup
    ) as folder:
        # What comes through a pipe is kept first, without an event loop: Ctrl-C ends it at once.
        found = find(order.files, folder)
        todo = plan(
            found.inputs,
            Wishes(
                forms=order.forms,
                output=order.output,
                many=_is_many(order.files),
                as_json=order.as_json,
                force=order.force,
                plot=order.plot,
            ),
        )
        count = workers(order.workers or options.workers, options.model, len(todo.jobs))
        return run_until_signal(_run(order, options.with_workers(count), found, todo))


def workers(wanted: int, model: str, jobs: int) -> int:
    """Return how many processes to start.

    Args:
        wanted: As many as this; 1 is also what nobody asked for.
        model: Moonshine uses one core per process; others use several by themselves.
        jobs: More processes than recordings are of no use.
    """
    if wanted == 1 and model.startswith("moonshine"):
        wanted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return max(1, min(wanted, jobs))


async def _run(order: Order, options: HostOptions, found: Found, todo: Plan) -> int:
    with screen_for(quiet=order.quiet) as screen:
        for note in found.notes:
            screen.note(note)
        host = build(options, screen.download)
        manner = Manner(
            at_once=options.workers,
            words=order.words,
            as_json=order.as_json,
            tell_language=order.language == AUTO,
        )
        batch = Batch(
            todo,
            Recogniser(host, order.language, _turns(order, options), order.translate),
            screen,
            manner,
        )
        for name, text in (*found.faults, *todo.faults):
            batch.fail(name, text)
        if todo.jobs:
            loading = f"loading {options.model}"
            screen.progress(loading, 0.0, 0.0)
            async with host:
                screen.finished(loading)
                check_language(host, order.language)
                if order.translate:
                    check_translates(host)
                await batch.run()
        return FAILED if batch.failed else OK


def screen_for(*, quiet: bool) -> Screen:
    """Return bars on a terminal; lines elsewhere."""
    console = err()
    if console.is_terminal and not quiet and not console.is_dumb_terminal:
        return Bars(console)
    return Lines(console, quiet=quiet)


def _is_many(files: Sequence[str]) -> bool:
    return len(files) > 1 or any(Path(each).is_dir() for each in files if each != STDIN)


def _turns(order: Order, options: HostOptions) -> FindTurns | None:
    if not order.diarize:
        return None

    async def find_them(path: Path, on_progress: Callable[[float], None]) -> list[Turn]:
        from livebot.stt.diarize.find import find_turns

        return await find_turns(
            path,
            speakers=order.speakers,
            on_progress=on_progress,
            memory_limit=options.memory_limit,
            cpu_limit=options.cpu_limit,
        )

    return find_them
