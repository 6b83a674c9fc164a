"""The worker's standard input, read by a thread so that the pipe flows while the model works.

Bounded by the parent: it sends no more of a stream's audio than the worker has taken
off it, see `messages.Taken`.
"""

import os
import queue
import threading
from collections.abc import Callable

from livebot.stt.host.framing import Decoder, Frame, FramingError

_READ = 262_144


class Inbox:
    """Frames from a file descriptor, in order; ends where the descriptor ends.

    Args:
        fd: Where to read.
        answer: Called with each frame by the thread that reads; those for which it returns True
            need not be taken. What asks whether we live is not to wait for the model.
    """

    def __init__(self, fd: int, answer: Callable[[Frame], bool] = lambda _: False) -> None:
        self._fd = fd
        self._answer = answer
        self._frames: queue.SimpleQueue[Frame | FramingError | None] = queue.SimpleQueue()
        # A daemon: when the worker is done there is nobody left to read for.
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def take(self, *, wait: bool) -> list[Frame] | None:
        """Return what has come, or None at the end of the input.

        Args:
            wait: Whether to wait until there is something.

        Raises:
            FramingError: What came is not a frame.
        """
        frames: list[Frame] = []
        while wait or not self._frames.empty():
            wait = False
            item = self._frames.get()
            if item is None:
                return None
            if isinstance(item, FramingError):
                raise item
            frames.append(item)
        return frames

    def _read(self) -> None:
        decoder = Decoder()
        try:
            while data := os.read(self._fd, _READ):
                for frame in decoder.feed(data):
                    if not self._answer(frame):
                        self._frames.put(frame)
        except FramingError as exc:
            self._frames.put(exc)
        except OSError:
            pass  # as good as the end
        finally:
            # Also where memory is used up: a worker that waits for ever would be found late.
            self._frames.put(None)
