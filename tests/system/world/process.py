"""Server processes: started, waited for, stopped; none outlives the test session."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

READY_WITHIN_S = 10.0
"""Servers answer within 2 s even on a busy machine; a browser needs more."""

STOP_WITHIN_S = 2.0
_POLL_S = 0.02
_SHOWN_LINES = 40

_ports = count(8101)


def free_port() -> int:
    """Return a port nobody has: the network is ours, and below what the kernel gives away."""
    return next(_ports)


class WorldError(Exception):
    """Something of the world around the bot did not come up, or went down."""


class Process:
    """A program whose output goes to a file. Used as a context.

    Args:
        name: What people call it; also the name of its log.
        argv: The command line.
        folder: Where it runs and where its log is written.
        env: Its whole environment; this process's own if None.
    """

    started: ClassVar[list["Process"]] = []
    """Every one of this session, for the report on a failed test."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        # The kernel ends it should this process die without saying so.
        self._argv = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)]
        self._env = env
        self._cwd = cwd or folder
        self._popen: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        self.started.append(self)
        return self

    def start(self) -> None:
        """Start it, or start it again after its end; its log goes on."""
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=self._env,
                start_new_session=True,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._running().pid

    @property
    def exit_code(self) -> int | None:
        """Return how it ended; None while it runs."""
        return self._running().poll()

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        self._running().terminate()

    def kill(self) -> None:
        """End it and all it started at once, as a machine that dies does."""
        self._signal(signal.SIGKILL)
        self._running().wait()

    def pause(self) -> None:
        """Let it and all it started run no more: it still accepts and never answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run on after `pause()`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)

    def wait(self, within_s: float) -> int:
        """Wait for its end; return its exit code.

        Raises:
            WorldError: It does not end.
        """
        try:
            return self._running().wait(within_s)
        except subprocess.TimeoutExpired:
            raise WorldError(f"{self.name} runs on after {within_s:g} s") from None

    def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """End it, by force after *within_s*; return its exit code."""
        popen = self._running()
        popen.terminate()
        try:
            return popen.wait(within_s)
        except subprocess.TimeoutExpired:
            popen.kill()
            return popen.wait()
        finally:
            # Whatever it started and left behind, be it paused.
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)

    def wait_until(self, ready: Callable[[], bool], within_s: float = READY_WITHIN_S) -> None:
        """Block until *ready*.

        Raises:
            WorldError: It ended instead, or the time is over; the text carries its log's end.
        """
        deadline = time.monotonic() + within_s
        while not ready():
            if (code := self.exit_code) is not None:
                raise WorldError(f"{self.name} ended with {code}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise WorldError(f"{self.name} not ready after {within_s:g} s:\n{self.tail()}")
            time.sleep(_POLL_S)

    def tail(self, lines: int = _SHOWN_LINES) -> str:
        """Return the last lines it printed."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise WorldError(f"{self.name} was not started")
        return self._popen


def listens(port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a question: does somebody accept TCP connections there?"""

    def ask() -> bool:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return ask


@contextmanager
def server(process: Process, port: int) -> Iterator[Process]:
    """Run *process* and wait until it listens on *port*."""
    with process:
        process.wait_until(listens(port))
        yield process
