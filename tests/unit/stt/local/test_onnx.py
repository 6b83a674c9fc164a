"""Tests of `livebot.stt.local.onnx`."""

from typing import Any

import onnxruntime
import pytest

from livebot.errors import EngineError
from livebot.stt.local.onnx import open_session


def test_what_is_no_model_is_told() -> None:
    """With what brings a good one."""
    with pytest.raises(EngineError, match="cannot be loaded") as refused:
        open_session(b"no model")

    assert "LT_MEMORY_LIMIT" not in str(refused.value)


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError("std::bad_alloc"),
        RuntimeError("[ONNXRuntimeError] : 6 : Exception during initialization: std::bad_alloc"),
    ],
)
def test_memory_that_is_used_up_is_told(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """To install the package again would not help."""

    def fail(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    with pytest.raises(EngineError, match="LT_MEMORY_LIMIT") as refused:
        open_session(b"a model")

    assert "pip install" not in str(refused.value)
