"""onnxruntime, as this package wants it: one thread per session, errors of our own.

The only file that imports onnxruntime, and only when a session is asked for: the parent
process must be able to import its neighbours without it.
"""

from pathlib import Path
from typing import Any, Protocol

from livebot.errors import EngineError
from livebot.stt.local.files import CURE

NO_MEMORY = "a model needs more memory than there is: LT_MEMORY_LIMIT may allow more"


class Node(Protocol):
    """Name and shape of an input or output."""

    name: str
    shape: list[Any]


class Session(Protocol):
    """The part of `onnxruntime.InferenceSession` that is used."""

    def run(self, outputs: list[str] | None, inputs: dict[str, Any]) -> list[Any]:
        """Compute the outputs."""

    def get_inputs(self) -> list[Node]:
        """Describe the inputs."""

    def get_outputs(self) -> list[Node]:
        """Describe the outputs."""


def open_session(model: Path | bytes, *, threads: int = 1) -> Session:
    """Load a model.

    Args:
        model: A file, or what one holds.
        threads: More than one make small models slower.

    Raises:
        EngineError: onnxruntime is missing, the file is not a model, or memory is used up.
    """
    try:
        import onnxruntime
    except ImportError as exc:
        raise EngineError(f"onnxruntime cannot be imported: {CURE}", retryable=False) from exc
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait for each other must not keep cores from others who have work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # its errors come as exceptions; stderr is for our log
    try:
        session: Session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=["CPUExecutionProvider"],
        )
    except Exception as exc:  # onnxruntime raises a dozen unrelated classes
        if "bad_alloc" in str(exc):
            raise EngineError(NO_MEMORY, retryable=False) from exc
        name = "a packaged model" if isinstance(model, bytes) else model
        raise EngineError(f"{name} cannot be loaded: {CURE}", retryable=False) from exc
    return session
