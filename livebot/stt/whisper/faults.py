"""What goes wrong in the libraries below, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from livebot.errors import EngineError


@contextmanager
def faults(what: str, *, retryable: bool) -> Iterator[None]:
    """Turn whatever is raised inside into an `EngineError` that begins with `what`."""
    try:
        yield
    except EngineError:
        raise
    except Exception as exc:  # tokenizers raises nothing more special
        raise EngineError(f"{what}: {_first_line(exc)}", retryable=retryable) from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
