"""Where the model runs, and in which numbers (pure; CTranslate2 is asked through `Machine`)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from livebot.errors import EngineError

AUTO = "auto"

_BEST = {"cuda": ("float16", "int8_float16", "float32"), "cpu": ("int8", "float32")}
"""What `auto` takes, of what the device can."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What CTranslate2 finds.

    Attributes:
        cuda_devices: How many GPUs there are.
        compute_types: What a device can.
    """

    cuda_devices: Callable[[], int]
    compute_types: Callable[[str], Collection[str]]


def choose(machine: Machine, device: str, compute_type: str) -> tuple[str, str]:
    """Return the device and the compute type.

    Args:
        machine: What there is.
        device: `auto`, `cpu` or `cuda`.
        compute_type: `auto`, or CTranslate2's.

    Raises:
        EngineError: There is no such thing here.
    """
    has_cuda = machine.cuda_devices() > 0
    if device not in (AUTO, *_BEST):
        raise EngineError(
            f"no device {device!r}: set LT_DEVICE to auto, cpu or cuda", retryable=False
        )
    if device == "cuda" and not has_cuda:
        raise EngineError(
            "no CUDA device is found here: set LT_DEVICE to auto or cpu, or install NVIDIA's "
            "driver and give the container the GPU",
            retryable=False,
        )
    if device == AUTO:
        device = "cuda" if has_cuda else "cpu"
    return device, _compute_type(machine, device, compute_type)


def _compute_type(machine: Machine, device: str, wanted: str) -> str:
    known = machine.compute_types(device)
    if wanted == AUTO:
        return next((best for best in _BEST[device] if best in known), "default")
    if wanted not in known:
        raise EngineError(
            f"{device} cannot compute in {wanted!r} here: set LT_COMPUTE_TYPE to auto, "
            f"{', '.join(sorted(known))}",
            retryable=False,
        )
    return wanted
