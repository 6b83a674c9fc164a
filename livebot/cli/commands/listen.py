"""`livebot listen`."""

import sys
from typing import Annotated

import typer

from livebot.cli.console import err, only_warn
from livebot.cli.given import given, spoken
from livebot.settings import load_settings


def listen(
    *,
    rate: Annotated[int, typer.Option(min=4_000, max=384_000, help="Samples a second.")] = 16_000,
    form: Annotated[
        str,
        typer.Option("--format", help="Of a sample: s16le, s16be, s24le, s32le, f32le or u8."),
    ] = "s16le",
    channels: Annotated[int, typer.Option(min=1, max=64, help="How many; they are mixed.")] = 1,
    microphone: Annotated[
        str | None,
        typer.Option(help="The name of one, or a part of it; without it, the usual one."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Instead of LT_MODEL.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", "-l", help="What is spoken, like en.", show_default="auto"),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Instead of LT_DEVICE: cpu, cuda or auto.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: a line of JSON per word.")
    ] = False,
) -> None:
    """Write down what is said now: raw samples on stdin, or a microphone.

    On a terminal, what may still change is dim. Ctrl-C ends it with the last words.

    Example: livebot listen

    Example: arecord -q -f S16_LE -r 16000 -c 1 | livebot listen

    Example: ffmpeg -v error -i rtsp://camera.example.com/1 -f s16le -ac 1 -ar 16000 - | livebot
    listen --json

    Exit codes: 0 the sound ended, or Ctrl-C ended it. 1 it failed. 2 wrong use.
    """
    settings = load_settings(**given(model=model, device=device))
    only_warn()
    from livebot.cli.host import options
    from livebot.cli.listening.microphone import RATE_HZ, library, microphone_blocks
    from livebot.cli.listening.raw import RawReader, format_of
    from livebot.cli.listening.run import listen as run
    from livebot.cli.listening.sources import stdin_blocks

    reader = RawReader(format_of(form), rate, channels)
    if microphone is not None or sys.stdin is None or sys.stdin.isatty():
        library()
        reader = RawReader("s16le", RATE_HZ, 1)
        blocks = microphone_blocks(microphone)
        err().print("listening; Ctrl-C ends it", style="dim")
    else:
        blocks = stdin_blocks()
    wanted = spoken(language, settings)
    raise typer.Exit(run(options(settings), blocks, reader, language=wanted, as_json=as_json))
