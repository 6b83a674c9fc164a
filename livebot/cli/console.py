"""Where the commands write: results on stdout, everything else on stderr."""

import os
import select
import sys
from collections.abc import Iterator

from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from livebot import logs
from livebot.errors import ConfigError, LivebotError


def out() -> Console:
    """Return stdout, with colours where it is a terminal that has them."""
    return Console(highlight=False)


def err() -> Console:
    """Return stderr, as `out`."""
    return Console(stderr=True, highlight=False)


def complain(found: BaseExceptionGroup[LivebotError]) -> None:
    """Print what is wrong on stderr, one line each."""
    for exc in _leaves(found):
        for line in exc.problems if isinstance(exc, ConfigError) else (str(exc),):
            print_problem(err(), line)


def print_problem(console: Console, line: str) -> None:
    """Print a red line."""
    console.print(Text(one_line(line), style="red"), soft_wrap=True)


def one_line(text: str) -> str:
    """Return a text as one line that every terminal shows; file names may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def only_warn() -> None:
    """Keep the log out of a command's own output."""
    logs.configure("warning", "console", stream=sys.stderr)


def revealed(secret: SecretStr | None) -> str | None:
    """Return what a secret is, or None."""
    return secret.get_secret_value() if secret else None


def reader_left() -> bool:
    """Say whether nobody reads stdout any more, as with `| head -1`; other pipes are our bugs."""
    pipe = select.poll()
    pipe.register(sys.stdout, 0)
    if not pipe.poll(0):
        return False
    # What is still to be written would be complained of at the interpreter's end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _leaves(found: BaseExceptionGroup[LivebotError]) -> Iterator[LivebotError]:
    for exc in found.exceptions:
        if isinstance(exc, BaseExceptionGroup):
            yield from _leaves(exc)
        else:
            yield exc
