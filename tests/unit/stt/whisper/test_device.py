"""Where the model runs, on machines of every kind."""

import pytest

from livebot.errors import EngineError
from livebot.stt.whisper.device import Machine, choose

CPU = {"int8", "int8_float32", "float32"}
GPU = {"float16", "int8_float16", "float32", "int8"}


def machine(gpus: int = 0, *, gpu: set[str] | None = None) -> Machine:
    """Return a machine with so many GPUs."""
    return Machine(lambda: gpus, lambda device: CPU if device == "cpu" else gpu or GPU)


@pytest.mark.parametrize(
    ("found", "device", "compute_type", "chosen"),
    [
        (machine(), "auto", "auto", ("cpu", "int8")),
        (machine(1), "auto", "auto", ("cuda", "float16")),
        (machine(1), "cpu", "auto", ("cpu", "int8")),
        (machine(1), "cuda", "int8_float16", ("cuda", "int8_float16")),
        # Older than tensor cores.
        (machine(1, gpu={"float32", "int8"}), "auto", "auto", ("cuda", "float32")),
        (machine(), "auto", "float32", ("cpu", "float32")),
    ],
)
def test_what_suits_the_machine(
    found: Machine, device: str, compute_type: str, chosen: tuple[str, str]
) -> None:
    """A GPU where there is one, in the numbers that it is quickest in."""
    assert choose(found, device, compute_type) == chosen


@pytest.mark.parametrize(
    ("device", "compute_type", "said"),
    [
        ("cuda", "auto", "no CUDA device .* LT_DEVICE to auto or cpu"),
        ("tpu", "auto", "no device 'tpu': set LT_DEVICE to auto, cpu or cuda"),
        ("auto", "float16", "'float16' here: set LT_COMPUTE_TYPE to auto, float32, int8, int8_"),
    ],
)
def test_what_there_is_not_is_told(device: str, compute_type: str, said: str) -> None:
    """With the setting to change, and what it may be.

    Spec: speech-models/Device.
    """
    with pytest.raises(EngineError, match=said) as caught:
        choose(machine(), device, compute_type)
    assert not caught.value.retryable
