"""Commands that serve until they are stopped."""

import asyncio
from typing import Annotated

import typer

from livebot import logs
from livebot.cli.console import revealed
from livebot.cli.given import given
from livebot.cli.signals import stopped
from livebot.errors import ConfigError
from livebot.settings import load_settings
from livebot.stt import registry


def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here instead of PORT.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="Instead of LT_ENGINE, like local, or kyutai,local.")
    ] = None,
    calls: Annotated[
        bool | None,
        typer.Option(
            "--calls/--no-calls",
            help="Instead of LT_CALLS: without, files and live"
            " audio only; no signaling server is needed.",
        ),
    ] = None,
) -> None:
    """Run the service until SIGTERM: caption calls on request, recognise files and live audio.

    Example: LT_HPB_URL=wss://hpb.example.com LT_INTERNAL_SECRET=... livebot serve

    Example: livebot serve --no-calls, and then open http://127.0.0.1:8080
    """
    wanted = None if calls is None else "on" if calls else "off"
    settings = load_settings(
        for_call=True, **given(host=host, port=port, engine=engine, calls=wanted)
    )
    # WebRTC takes a while to import, so only who needs it waits.
    from livebot import app

    raise typer.Exit(app.run(settings))


def demo(
    *,
    once: Annotated[bool, typer.Option(help="Play the speech once, then exit.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per caption.")
    ] = False,
    host: Annotated[str, typer.Option(help="Where the page is.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where the page is; 0 is any free port.")] = 0,
) -> None:
    """Caption a call between two recorded speakers; needs no account and no network.

    Example: livebot demo --once --json
    """
    from livebot.demo.main import run

    raise typer.Exit(run(once=once, as_json=as_json, host=host, port=port))


def stt_server(
    *,
    host: Annotated[str, typer.Option(help="Listen here.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Listen here; 0 is any free port.")] = 8090,
    engine: Annotated[str, typer.Option(help="The engine to serve.")] = "local",
    dialect: Annotated[str, typer.Option(help="How words are written: rust or python.")] = "rust",
    language: Annotated[str | None, typer.Option(help="Instead of LT_DEFAULT_LANGUAGE.")] = None,
    max_streams: Annotated[int, typer.Option(help="Streams at the same time.")] = 8,
) -> None:
    """Serve an engine over the WebSocket of the Kyutai service, for bots on other machines.

    Callers must show MODAL_KEY and MODAL_SECRET where they are set.

    Example: livebot stt-server --port 8090, and elsewhere
    STT_STREAM_URL=ws://stt.example.com:8090/v1/stream livebot serve
    """
    settings = load_settings(**given(language=language))
    logs.configure(settings.log_level, settings.log_format)
    from livebot.stt.server import serve as serve_engine

    async def run() -> None:
        async with (
            registry.load(engine, settings.engine_options(engine)) as running,
            serve_engine(
                running,
                host=host,
                port=port,
                dialect=dialect,
                key=revealed(settings.modal_key),
                secret=revealed(settings.modal_secret),
                max_streams=max_streams,
                language=settings.language,
            ) as bound,
        ):
            logs.get("stt-server").info("started", engine=engine, host=host, port=bound)
            await stopped()

    asyncio.run(run())


def daemon() -> None:
    """Recognise recordings for another program: requests on stdin, answers on stdout, as JSON.

    The model stays warm between requests. Files are read only below LT_ALLOWED_PATHS.

    Example: echo '{"path": "/srv/talks/monday.mp3", "id": 1}' | livebot daemon
    """
    from livebot.daemon.main import refuse, run

    try:
        settings = load_settings()
    except ConfigError as exc:
        # Whoever drives it reads stdout, and waits for a line.
        raise typer.Exit(refuse(exc)) from exc
    raise typer.Exit(run(settings))
