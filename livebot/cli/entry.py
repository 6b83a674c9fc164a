"""The commands by their names, and what becomes of their faults.

Exit codes: 0 it worked, 1 it failed, 2 it was used wrongly or the settings do not work, and 128
plus the number of the signal that ended it: 130 after Ctrl-C.
"""

import sys
from typing import NoReturn

import typer

from livebot.cli.codes import FAILED, MISUSED, OK
from livebot.cli.commands.examining import engines, examine, version
from livebot.cli.commands.listen import listen
from livebot.cli.commands.models import models
from livebot.cli.commands.serving import daemon, demo, serve, stt_server
from livebot.cli.commands.transcribe import transcribe
from livebot.cli.console import complain, reader_left
from livebot.errors import ConfigError, LivebotError

cli = typer.Typer(
    name="livebot",
    help="Live captions for Nextcloud Talk calls, and transcripts of recordings.",
    epilog="Settings come from the environment, a .env file and the YAML file named by"
    " LT_CONFIG; deploy/README.md lists them. Begin with: livebot demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_RECORDINGS = "Recordings and microphones"
_CALLS = "Calls"
_MACHINE = "This machine"

cli.command(rich_help_panel=_RECORDINGS)(transcribe)
cli.command(rich_help_panel=_RECORDINGS)(listen)
cli.command(rich_help_panel=_RECORDINGS)(daemon)
cli.command(rich_help_panel=_CALLS)(serve)
cli.command(rich_help_panel=_CALLS)(demo)
cli.command(rich_help_panel=_CALLS)(stt_server)
cli.add_typer(models, name="models", rich_help_panel=_MACHINE)
cli.command(rich_help_panel=_MACHINE)(engines)
cli.command(name="doctor", rich_help_panel=_MACHINE)(examine)
cli.command(rich_help_panel=_MACHINE)(version)


def main() -> NoReturn:
    """Run the command line; faults of the outside world become red lines, bugs a traceback."""
    code = OK
    try:
        cli()
    except* ConfigError as found:
        complain(found)
        code = MISUSED
    except* LivebotError as found:
        complain(found)
        code = FAILED
    except* BrokenPipeError:
        if not reader_left():
            raise
        code = FAILED
    sys.exit(code)
