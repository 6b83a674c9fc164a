"""`livebot models`."""

import typer
from rich.table import Table
from rich.text import Text

from livebot.cli.codes import OK
from livebot.cli.console import only_warn, out
from livebot.cli.signals import run
from livebot.errors import EngineError
from livebot.settings import Settings, load_settings

_WIDE = 1000
"""Columns where there is no terminal."""

models = typer.Typer(invoke_without_command=True)


@models.callback()
def list_models(context: typer.Context) -> None:
    """List the speech models and where they are; `models get NAME` downloads one.

    Example: livebot models
    """
    if context.invoked_subcommand is None:
        _list(load_settings())


@models.command()
def get(
    name: str = typer.Argument(help="Of a model, like base or large-v3-turbo."),
) -> None:
    """Download a model, so that it is there when it is needed; goes on where it once stopped.

    Example: livebot models get base.en
    """
    settings = load_settings()
    only_warn()
    raise typer.Exit(run(_get(settings, name)))


def _list(settings: Settings) -> None:
    from livebot.stt.models import find, names
    from livebot.stt.models.catalog import entry
    from livebot.stt.models.places import megabytes

    table = Table("model", "languages", "size", "where", box=None, pad_edge=False)
    for name in names():
        model = entry(name)
        try:
            folder = find(name, model_dir=settings.model_dir, cache=settings.model_cache).folder
            where = Text(folder, style="green", overflow="fold")
        except EngineError:
            hint = f"livebot models get {name}" if model.repository else "needs LT_MODEL_DIR"
            where = Text(f"not here: {hint}", style="dim")
        languages = ", ".join(sorted(model.languages)) or "99"
        table.add_row(name, languages, megabytes(model.size), where)
    console = out()
    if not console.is_terminal:
        # Programs read lines.
        console.width = _WIDE
    console.print(table)


async def _get(settings: Settings, name: str) -> int:
    from livebot.cli.transcribing.run import screen_for
    from livebot.stt.models import provide

    with screen_for(quiet=False) as screen:
        spec = await provide(
            name,
            model_dir=settings.model_dir,
            cache=settings.model_cache,
            source=settings.model_source,
            offline=settings.offline,
            on_progress=screen.download,
        )
    out().print(Text(f"{name}: {spec.folder}"), soft_wrap=True)
    return OK
