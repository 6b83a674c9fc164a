"""What goes to stdout, in what order."""

import sys
from collections.abc import Callable
from typing import Any

import msgspec

from livebot.cli.transcribing.writing import WritingError, why


def print_text(text: str) -> None:
    """Write to stdout at once.

    Raises:
        WritingError: It cannot be written.
        BrokenPipeError: Nobody reads it.
    """
    try:
        sys.stdout.write(text.encode("utf-8", "replace").decode())
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except UnicodeEncodeError as exc:
        raise WritingError(
            f"stdout takes {exc.encoding} only: set PYTHONIOENCODING=utf-8, or name an --output"
        ) from exc
    except OSError as exc:
        raise WritingError(f"stdout cannot be written: {why(exc)}") from exc


def json_line(value: dict[str, Any]) -> str:
    """Return a line of JSON; of a name that is no text, what cannot be shown is replaced."""
    return msgspec.json.encode(_shown(value)).decode() + "\n"


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _shown(each) for key, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value


class InOrder:
    """Texts printed in the order of their recordings, in whichever they get ready.

    Args:
        show: Prints one.
        headings: Whether each begins with its name, as `head` and `tail` show several files.
    """

    def __init__(self, show: Callable[[str], None], *, headings: bool) -> None:
        self._show = show
        self._headings = headings
        self._waiting: dict[int, tuple[str, str] | None] = {}
        self._next = 0
        self._printed = 0

    def put(self, number: int, name: str, text: str) -> None:
        """Take the text of a recording."""
        self._waiting[number] = name, text
        self._print()

    def leave_out(self, number: int) -> None:
        """Wait no longer for a recording."""
        self._waiting[number] = None
        self._print()

    def _print(self) -> None:
        while self._next in self._waiting:
            found = self._waiting.pop(self._next)
            self._next += 1
            if found is None:
                continue
            name, text = found
            if self._headings:
                gap = "\n" if self._printed else ""
                text = f"{gap}==> {name} <==\n{text}"
            self._printed += 1
            self._show(text)
