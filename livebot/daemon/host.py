"""What the daemon needs of an engine host; `livebot.stt.host.host.EngineHost` is the real one."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from livebot.stt.engine import SttStream
from livebot.stt.host.messages import Progress
from livebot.stt.host.reading import Recognition
from livebot.stt.host.status import HostStatus


class Host(Protocol):
    """Recognises files and streams."""

    async def recognise(
        self,
        path: Path,
        *,
        language: str = "",
        model: str = "",
        on_progress: Callable[[Progress], None] = ...,
    ) -> Recognition:
        """Recognise a file; cancelled, it is forgotten at once.

        Raises:
            RecordingError: The file cannot be read.
            EngineError: It cannot be recognised.
        """

    def open(
        self, *, language: str = "", model: str = ""
    ) -> AbstractAsyncContextManager[SttStream]:
        """Open a live stream.

        Raises:
            EngineError: On entering, when none can be had.
        """

    def status(self) -> HostStatus:
        """Say how it is."""
