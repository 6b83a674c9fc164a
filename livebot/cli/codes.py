"""Exit codes."""

from typing import Final

OK: Final = 0
FAILED: Final = 1
MISUSED: Final = 2

OF_SIGNAL: Final = 128
"""What shells add to the number of the signal that ended a program: 130 is Ctrl-C."""
