"""The command line. `entry.py` names the commands, `commands/` says what can be given to each."""

from livebot.cli.entry import main

__all__ = ["main"]
