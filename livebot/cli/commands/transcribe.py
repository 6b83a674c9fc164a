"""`livebot transcribe`."""

from typing import Annotated

import typer

from livebot.cli.console import only_warn
from livebot.cli.given import given, spoken
from livebot.settings import load_settings

_IN, _OUT, _WHO, _HOW = "What is said", "What is written", "Who speaks", "How"


def transcribe(  # noqa: PLR0913  # a command has as many arguments as options
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Recordings, folders, - for stdin.")
    ],
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Instead of LT_MODEL; see: livebot models", rich_help_panel=_IN
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            "-l",
            help="What is spoken, like en; auto finds out and tells it.",
            show_default="auto",
            rich_help_panel=_IN,
        ),
    ] = None,
    translate: Annotated[
        bool,
        typer.Option(
            "--translate",
            help="Write it down in English; Whisper models can.",
            rich_help_panel=_IN,
        ),
    ] = False,
    form: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            help="txt, srt, vtt, json, md or tsv; several with commas.",
            show_default="the ending of --output, or txt",
            rich_help_panel=_OUT,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="A file, or a folder for several.", rich_help_panel=_OUT
        ),
    ] = None,
    words: Annotated[
        bool, typer.Option("--words", help="With the times of all words.", rich_help_panel=_OUT)
    ] = False,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot",
            help="Also draw FILE.svg: sound, speakers and words on a time line.",
            rich_help_panel=_OUT,
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="For programs: a line of JSON on stdout per recording, as soon as it is done.",
            rich_help_panel=_OUT,
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace files that are there.", rich_help_panel=_OUT),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Tell problems only.", rich_help_panel=_OUT),
    ] = False,
    diarize: Annotated[
        bool, typer.Option("--diarize", help="Tell speakers apart.", rich_help_panel=_WHO)
    ] = False,
    speakers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="How many there are; without it, that is found. Implies --diarize.",
            rich_help_panel=_WHO,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Instead of LT_DEVICE: cpu, cuda or auto.", rich_help_panel=_HOW),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            max=256,
            help="Recordings at the same time; 0 is what suits the model and this machine.",
            rich_help_panel=_HOW,
        ),
    ] = 0,
) -> None:
    """Write down what is said in recordings: sound files and videos of any kind.

    A folder stands for all recordings below it, - for stdin. Without --output the text goes to
    stdout; of several recordings, each below a line with its name. --plot draws each as a picture
    for a browser, beside the text or, where that goes to stdout, in the current folder.

    Example: livebot transcribe talk.mp3

    Example: livebot transcribe talk.mp4 -o talk.srt

    Example: livebot transcribe recordings/ -o texts/ --format srt,json --words

    Example: livebot transcribe meeting.m4a --speakers 3 --format md

    Example: livebot transcribe meeting.m4a --diarize --plot -o meeting.txt

    Example: curl -s https://example.com/talk.ogg | livebot transcribe - --json | jq -r .text

    Exit codes: 0 everything is written. 1 some recordings failed: a line on stderr says which,
    why and what to do; the others are written. 2 wrong use. 130 Ctrl-C.
    """
    settings = load_settings(**given(model=model, device=device))
    only_warn()
    # Models and decoders take a while to import, so only who needs them waits.
    from livebot.cli.host import options
    from livebot.cli.transcribing.plan import forms_of
    from livebot.cli.transcribing.run import Order
    from livebot.cli.transcribing.run import transcribe as run

    order = Order(
        files=files,
        language=spoken(language, settings),
        translate=translate,
        forms=forms_of(form or ()),
        output=output,
        words=words,
        diarize=diarize or speakers is not None,
        speakers=speakers,
        workers=workers,
        as_json=as_json,
        force=force,
        quiet=quiet,
        plot=plot,
    )
    raise typer.Exit(run(order, options(settings), settings))
