"""What a worker is started with: its one argument, as JSON (pure)."""

import msgspec

from livebot.errors import EngineError
from livebot.stt.model import ModelSpec

DEFAULT_SPEC = ModelSpec(family="moonshine", name="moonshine-tiny-en", folder="")
"""The model that comes with its package, wherever that is."""

DEFAULT_MEMORY = 1 << 30
"""Bytes; a worker with eight speakers takes a quarter of it. One that takes more ends with an
error, and another is started, before it takes the machine's memory."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker is to load, and what it may use.

    Attributes:
        spec: The model.
        memory_limit: Bytes of data that it may have, unless it uses a graphics card; 0 is none.
        cpus: The cores that it may run on; empty for all.
    """

    spec: ModelSpec = DEFAULT_SPEC
    memory_limit: int = DEFAULT_MEMORY
    cpus: tuple[int, ...] = ()


def write(order: Order) -> str:
    """Return the argument."""
    return msgspec.json.encode(order).decode()


def read(argument: str) -> Order:
    """Read the argument.

    Raises:
        EngineError: It is none.
    """
    try:
        order: Order = msgspec.json.decode(argument, type=Order)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise EngineError("a worker's argument is not an order", retryable=False) from exc
    return order
