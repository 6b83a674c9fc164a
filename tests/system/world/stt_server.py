"""`livebot stt-server`: the embedded engine behind the protocol of the Kyutai service."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.world.bot import PYTHON
from tests.system.world.process import Process, free_port, listens

_START_WITHIN_S = 30.0
"""Loading the model on a busy machine included."""


@dataclass(frozen=True, slots=True)
class SttServer:
    """How to reach it.

    Attributes:
        process: The server and its workers.
        port: Where it listens.
    """

    process: Process
    port: int

    @property
    def url(self) -> str:
        """Return what an administrator would write into `STT_STREAM_URL`."""
        return f"ws://127.0.0.1:{self.port}/v1/stream"


@contextmanager
def stt_server(folder: Path) -> Iterator[SttServer]:
    """Run it with the embedded engine."""
    folder.mkdir()
    port = free_port()
    argv = [
        PYTHON, "-m", "livebot", "stt-server",
        "--host", "127.0.0.1", "--port", str(port), "--engine", "local",
    ]  # fmt: skip
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LT_ENGINE_WORKERS": "1"}
    with Process("stt-server", argv, folder=folder, env=env) as process:
        process.wait_until(listens(port), _START_WITHIN_S)
        yield SttServer(process, port)
