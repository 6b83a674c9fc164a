"""onnxruntime, as this package wants it: one thread per session, errors of our own.

The only file that imports onnxruntime, and only when a session is asked for: the parent
process must be able to import its neighbours without it.
"""

from pathlib import Path
from typing import Any, Protocol

from livebot.errors import EngineError
from livebot.stt.local.files import CURE


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


def open_session(path: Path) -> Session:
    """Load a model for one thread: more make these small models slower.

    Raises:
        EngineError: onnxruntime is missing, or the file is not a model.
    """
    try:
        import onnxruntime
    except ImportError as exc:
        raise EngineError(f"onnxruntime cannot be imported: {CURE}", retryable=False) from exc
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its errors come as exceptions; stderr is for our log
    try:
        session: Session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as exc:  # onnxruntime raises a dozen unrelated classes
        raise EngineError(f"{path} cannot be loaded: {CURE}", retryable=False) from exc
    return session
