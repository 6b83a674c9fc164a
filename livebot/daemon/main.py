"""`livebot daemon`: from settings to the exit code.

Standard output is the client's alone. It is put away before anything else happens, so that
what libraries print goes to standard error, and no child process can write into answers or
read what is meant for us.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from livebot import logs
from livebot.daemon import answers
from livebot.daemon.answers import Answer
from livebot.daemon.faults import noted
from livebot.daemon.pipes import Input, Output
from livebot.daemon.serve import FLUSH_S, Stop, Terms, serve
from livebot.daemon.sources import Sources
from livebot.errors import ConfigError, LivebotError
from livebot.fetch.addresses import Allowed
from livebot.fetch.http import Limits
from livebot.fetch.spool import spool
from livebot.settings import Settings
from livebot.stt import models
from livebot.stt.diarize.find import find_turns
from livebot.stt.diarize.turns import Turn
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from livebot.stt.languages import AUTO

log = logs.get("daemon")

OK, FAILED = 0, 1

_STDIN, _STDOUT, _STDERR = 0, 1, 2

THREADS = 32
"""For names, disks and downloads, of which some may hang: more than files are fetched at once."""

_WORK = "daemon-work"

HANG_S = 1.0
"""In the end, threads that still wait for a name or a disk get so long."""

DOWNLOAD_EVERY_S = 5.0
"""Between two lines about a download."""


@dataclass(frozen=True, slots=True)
class _Pipes:
    """Where the client is, by descriptors that no library knows."""

    source: int
    output: int

    @classmethod
    def take(cls) -> "_Pipes":
        """Put standard input and output away; what is printed goes to standard error."""
        _fill()
        sys.stdout.flush()
        found = cls(os.dup(_STDIN), os.dup(_STDOUT))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, _STDIN)
        os.close(nothing)
        os.dup2(_STDERR, _STDOUT)
        return found


def _fill() -> None:
    """Have all three, also where whoever started us closed some: else, what is opened next is one.

    Python has no streams for those that were closed.
    """
    number = os.open(os.devnull, os.O_RDWR)
    while number <= _STDERR:
        os.set_inheritable(number, True)  # noqa: FBT003 - it takes no keyword
        number = os.dup(number)
    os.close(number)
    sys.stdout = sys.stdout or open(_STDOUT, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(_STDERR, "w", closefd=False)  # noqa: SIM115


def run(settings: Settings) -> int:
    """Serve the program at the other end of standard input and output; return the exit code."""
    pipes = _Pipes.take()
    logs.configure(settings.log_level, settings.log_format, stream=sys.stderr)
    try:
        with spool(
            settings.temp_dir,
            retention_s=settings.temp_retention,
            cleanup=settings.temp_cleanup,
        ) as folder:
            code = asyncio.run(_serve(settings, folder, pipes))
    except ConfigError as exc:
        return _refuse(pipes.output, exc)
    return _without_threads(code)


class _Threads(ThreadPoolExecutor):
    """Threads for which nobody waits in the end: some may hang."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Take nothing more on."""
        super().shutdown(wait=False, cancel_futures=True)


def _without_threads(code: int) -> int:
    """Return the exit code; where a thread hangs, end with it at once: Python would wait."""
    until_s = time.monotonic() + HANG_S
    threads = [thread for thread in threading.enumerate() if thread.name.startswith(_WORK)]
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        log.warning("threads_left", reason="a name or a disk does not answer")
        sys.stderr.flush()
        os._exit(code)
    return code


def refuse(fault: LivebotError) -> int:
    """Tell the program at the other end that nothing will be served; return the exit code."""
    return _refuse(_STDOUT, fault)


def _refuse(number: int, fault: LivebotError) -> int:
    problems: Iterable[str] = fault.problems if isinstance(fault, ConfigError) else (str(fault),)
    with suppress(OSError):  # Perhaps nobody is there to be told.
        os.write(number, answers.encode(answers.not_ready(" ".join(problems))))
    return FAILED


async def _serve(settings: Settings, folder: Path, pipes: _Pipes) -> int:
    """Serve until the end, or until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(_Threads(THREADS, thread_name_prefix=_WORK))
    stop, source = Stop(), Input(pipes.source)
    try:
        async with Output(pipes.output) as output:
            daemon = _Daemon(settings, folder, source, output, stop)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, daemon.stop)
            return await daemon.run()
    finally:
        await source.close()


class _Daemon:
    """The engine host and its client.

    Args:
        settings: What is wanted.
        folder: For temporary files.
        source: What the client says.
        output: What it is told.
        stop: Set by signals.
    """

    def __init__(
        self, settings: Settings, folder: Path, source: Input, output: Output, stop: Stop
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._source = source
        self._output = output
        self._stop = stop
        self._starting: asyncio.Task[int] | None = None

    def stop(self) -> None:
        """Begin to end; what has not begun to serve has nothing to finish."""
        self._stop.ask()
        if self._starting is not None:
            self._starting.cancel()

    async def run(self) -> int:
        """Serve until the end; return the exit code."""
        task = self._starting = asyncio.create_task(self._run(), name="daemon")
        await asyncio.wait([task])
        return OK if task.cancelled() else task.result()

    async def _run(self) -> int:
        try:
            options = host_options(self._settings)
            async with EngineHost(options, on_download=_told_of_downloads()) as host:
                self._starting = None
                await self._serve(host, options.model)
        except Exception as exc:
            if self._starting is None:
                raise
            return await self._give_up(exc)
        log.info("daemon_stopped")
        return FAILED if self._output.lost else OK

    async def _give_up(self, fault: Exception) -> int:
        """Say why nothing is served; what waits for the first line would wait for ever."""
        cause = str(fault) if isinstance(fault, LivebotError) else noted(fault)
        log.error("daemon_not_started", error=cause)
        self._say(answers.not_ready(cause))
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._output.flush()
        return FAILED

    async def _serve(self, host: EngineHost, model: str) -> None:
        self._say(answers.ready(model))
        log.info("daemon_ready", model=model)
        known = frozenset({model, *models.names()})
        terms = Terms(models=known, limit=self._settings.queue_limit, find_turns=self._find_turns)
        await serve(self._source, self._output, host, self._sources(), terms, self._stop)

    async def _find_turns(self, path: Path, speakers: int | None) -> list[Turn]:
        return await find_turns(
            path,
            speakers=speakers,
            memory_limit=int(self._settings.memory_limit),
            cpu_limit=self._settings.cpu_limit,
        )

    def _say(self, answer: Answer) -> None:
        self._output.put(answers.encode(answer))

    def _sources(self) -> Sources:
        settings = self._settings
        limits = Limits(
            max_bytes=settings.fetch_max_mb << 20,
            total_s=settings.fetch_timeout,
            allowed=Allowed.of(settings.fetch_hosts),
        )
        return Sources(self._folder, limits, settings.allowed_paths, cleanup=settings.temp_cleanup)


def host_options(settings: Settings) -> HostOptions:
    """Return what the engine host is to be built with.

    A language is taken from the settings where somebody has set one: what calls are taken for
    otherwise says nothing about files.
    """
    language = settings.language if "language" in settings.model_fields_set else AUTO
    return HostOptions.of({**settings.host_options(), "language": language})


def _told_of_downloads() -> Callable[[models.Download], None]:
    """Return what logs a download now and then: the client's first line is to be the last word."""
    next_s = 0.0

    def tell(download: models.Download) -> None:
        nonlocal next_s
        if (now_s := time.monotonic()) >= next_s:
            next_s = now_s + DOWNLOAD_EVERY_S
            log.info(
                "model_downloading",
                model=download.name,
                done_mb=download.done_bytes >> 20,
                total_mb=download.total_bytes >> 20,
            )

    return tell
