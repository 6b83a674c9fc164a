"""The process that tells speakers apart in one file.

    python -m livebot.stt.diarize.worker

It speaks `messages.py` on stdin and stdout. It ends with its work or with its input, whichever
is first, so it does not outlive its parent.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from livebot.errors import EngineError, RecordingError
from livebot.recordings.decode import open_recording
from livebot.stt.diarize import community
from livebot.stt.diarize.hearing import hear
from livebot.stt.diarize.messages import (
    Done,
    Failed,
    Find,
    Found,
    FromProcess,
    Heard,
    Unreadable,
    read_find,
    to_frame,
)
from livebot.stt.diarize.naming import turns
from livebot.stt.diarize.voices import CURE_MEMORY, Voices
from livebot.stt.diarize.windows import RATE_HZ
from livebot.stt.host import framing
from livebot.stt.host.bounds import bound_memory

NICE = 10
"""Nobody waits for a file as one waits for captions."""

_TURNS = 500
_READ = 65_536


def find(question: Find) -> None:
    """Answer.

    Raises:
        EngineError: The models cannot be had.
        RecordingError: The file cannot be read.
    """
    voices = Voices(community.load(), threads=question.threads)
    with open_recording(Path(os.fsdecode(question.path))) as recording:
        heard = hear(recording.blocks(RATE_HZ), voices, lambda seconds: _say(Heard(seconds)))
    found = turns(heard, people=question.speakers)
    for first in range(0, len(found), _TURNS):
        _say(Found(found[first : first + _TURNS]))
    _say(Done())


def main() -> int:
    """Answer one question; return the exit code."""
    # Control-C goes to every process; the parent decides what it means, and ends us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    question = _question()
    if question is None:
        return 0
    os.nice(NICE)
    if question.memory:
        bound_memory(question.memory)
    threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    try:
        find(question)
    except RecordingError as exc:
        _say(Unreadable(str(exc)))
    except EngineError as exc:
        _say(Failed(str(exc)))
    except MemoryError:
        _say(Failed(f"speakers cannot be told apart: {CURE_MEMORY}"))
    except BrokenPipeError:
        pass  # the parent is gone
    return 0


def _question() -> Find | None:
    decoder = framing.Decoder()
    while data := os.read(0, _READ):
        for frame in decoder.feed(data):
            return read_find(frame)
    return None


def _end_with_input() -> None:
    while os.read(0, _READ):
        pass
    os._exit(0)


def _say(message: FromProcess) -> None:
    data = framing.encode(to_frame(message))
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    sys.exit(main())
