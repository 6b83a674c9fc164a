"""The worker: a process with the model, serving several streams on one core.

    python -m livebot.stt.host.worker [ORDER]

It speaks `messages.py` on stdin and stdout and nothing but log lines on stderr. It ends
with its input, so no worker outlives its parent.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module

import numpy as np

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.host import framing, order
from livebot.stt.host.bounds import bound_cores, bound_memory
from livebot.stt.host.inbox import Inbox
from livebot.stt.host.messages import Failed, FromWorker, Ready, to_frame
from livebot.stt.host.order import Order
from livebot.stt.host.serving import Worker
from livebot.stt.local import files
from livebot.stt.local.vad import VadModel
from livebot.stt.model import RATE_HZ, ModelSpec, SpeechModel

_LOADERS = {
    "moonshine": "livebot.stt.local.moonshine",
    "whisper": "livebot.stt.whisper.model",
}
"""Of each family the module whose `load` makes a model of a `ModelSpec`."""

_WINDOW = 512

_NO_MEMORY = "a worker needs more memory than it may have: LT_MEMORY_LIMIT may allow more"


def load(spec: ModelSpec) -> SpeechModel:
    """Load a model.

    Raises:
        EngineError: It cannot be had; the text says what to do.
    """
    if spec.family not in _LOADERS:
        raise EngineError(f"no model of the family {spec.family!r}", retryable=False)
    make: Callable[[ModelSpec], SpeechModel] = import_module(_LOADERS[spec.family]).load
    return make(spec)


def _load(spec: ModelSpec) -> tuple[SpeechModel, VadModel, Ready]:
    """Load the models and try them."""
    started = time.perf_counter()
    model, voice = load(spec), VadModel(files.vad_file())
    loaded = time.perf_counter()
    trial: Samples = np.random.default_rng(0).normal(0, 0.01, RATE_HZ).astype(np.float32)
    voice.stream()(trial[: len(trial) // _WINDOW * _WINDOW])
    model.listen(trial, language=next(iter(model.languages))).words()
    return (
        model,
        voice,
        Ready(
            spec.name,
            spec.folder,
            dict(model.languages),
            model.translates,
            loaded - started,
            time.perf_counter() - loaded,
        ),
    )


def _limit(wanted: Order) -> None:
    """Keep to what this process may use."""
    # A graphics card's driver reserves far more addresses than it uses.
    if wanted.memory_limit and not _has_card(wanted.spec):
        bound_memory(wanted.memory_limit)
    if wanted.cpus:
        bound_cores(wanted.cpus)


def _has_card(spec: ModelSpec) -> bool:
    if spec.family != "whisper" or spec.device == "cpu":
        return False
    try:
        import ctranslate2
    except ImportError:
        return False  # which loading tells
    return bool(ctranslate2.get_cuda_device_count())


_saying = threading.Lock()


def _say(message: FromWorker) -> None:
    data = framing.encode(to_frame(message))
    with _saying:
        while data:
            data = data[os.write(1, data) :]


def main() -> int:
    """Serve until the input ends; return the exit code."""
    # Control-C and a service manager's SIGTERM go to every process; the parent decides what
    # they mean, and there may be last words to recognise. It ends us by closing our input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        wanted = order.read(sys.argv[1]) if len(sys.argv) > 1 else Order()
        _limit(wanted)
        model, voice, ready = _load(wanted.spec)
    except EngineError as exc:
        return _fail(str(exc))
    except MemoryError:
        return _fail(_NO_MEMORY)
    worker = Worker(model, voice.stream, _say)
    inbox = Inbox(0, worker.answer)
    try:
        _say(ready)
        more = False
        while (frames := inbox.take(wait=not more)) is not None:
            for frame in frames:
                worker.receive(frame)
            more = worker.work()
    except BrokenPipeError:
        return 0  # the parent is gone
    except EngineError as exc:
        return _fail(str(exc))
    except MemoryError:
        return _fail(_NO_MEMORY)
    return 0


def _fail(cause: str) -> int:
    _say(Failed(cause))
    return 1


if __name__ == "__main__":
    sys.exit(main())
