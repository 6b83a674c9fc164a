"""What the settings mean for the daemon."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from livebot.daemon import main
from livebot.daemon.faults import BROKEN
from livebot.daemon.main import FAILED, OK, host_options, refuse
from livebot.daemon.pipes import Input, Output
from livebot.daemon.serve import Stop
from livebot.errors import ConfigError, EngineError
from livebot.settings import Settings, load_settings
from livebot.stt.models import Download


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Leave out the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    for name in ("LT_CONFIG", "LT_DEFAULT_LANGUAGE", "LT_MODEL", "LT_STARTUP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings() -> Settings:
    """Return what there is by default."""
    return load_settings()


@pytest.mark.parametrize(
    ("given", "language"), [({}, "auto"), ({"LT_DEFAULT_LANGUAGE": "de"}, "de")]
)
def test_a_language_is_one_that_somebody_has_set(
    given: Mapping[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is of calls; of files, it is heard."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert host_options(load_settings()).language == language


def test_the_host_does_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names of the seed's file."""
    monkeypatch.setenv("LT_STARTUP_TIMEOUT", "7")

    assert host_options(load_settings()).startup_s == 7


def test_a_refusal_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """With all that is wrong."""
    assert refuse(ConfigError("LT_A: no.", "LT_B: no.")) == FAILED

    assert json.loads(capfd.readouterr().out) == {
        "status": "error",
        "error": "LT_A: no. LT_B: no.",
        "message": "LT_A: no. LT_B: no.",
    }


def test_a_download_is_logged_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each of its blocks."""
    logged: list[int] = []
    monkeypatch.setattr(main.log, "info", lambda _, **facts: logged.append(facts["done_mb"]))
    tell = main._told_of_downloads()

    for megabytes in range(100):
        tell(Download("tiny", "model.bin", megabytes << 20, 100 << 20))

    assert logged == [0]


class Unready:
    """An engine host that does not get ready: it waits, or fails.

    Args:
        fault: Raised; None to wait for ever.
    """

    def __init__(self, fault: Exception | None) -> None:
        self._fault = fault
        self.is_entered = asyncio.Event()

    def __call__(self, *_: object, **__: object) -> Self:
        """Be built."""
        return self

    async def __aenter__(self) -> Self:
        """Fail."""
        self.is_entered.set()
        if self._fault:
            raise self._fault
        await asyncio.Event().wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Have nothing to leave."""


@asynccontextmanager
async def starting(
    host: Unready, folder: Path, settings: Settings
) -> AsyncIterator[tuple[main._Daemon, Path]]:
    """Make a daemon with this host, and a file that it writes to."""
    answers = folder / "answers"
    fds = os.open(os.devnull, os.O_RDONLY), os.open(answers, os.O_WRONLY | os.O_CREAT, 0o600)
    source = Input(fds[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "EngineHost", host)
        async with Output(fds[1]) as output:
            yield main._Daemon(settings, folder, source, output, Stop()), answers
    await source.close()
    for fd in fds:
        os.close(fd)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(EngineError("get the model so"), "get the model so"), (ZeroDivisionError("x"), BROKEN)],
)
async def test_what_cannot_start_says_so(
    tmp_path: Path, settings: Settings, fault: Exception, cause: str
) -> None:
    """Also a mistake of ours: a client waits for the first line.

    Spec: daemon/First line.
    """
    async with starting(Unready(fault), tmp_path, settings) as (daemon, answers):
        code = await daemon.run()
    (line,) = answers.read_text().splitlines()

    assert code == FAILED
    assert json.loads(line) == {"status": "error", "error": cause, "message": cause}


async def test_what_starts_can_be_stopped(tmp_path: Path, settings: Settings) -> None:
    """A download may take an hour; who stops it has nothing to wait for.

    Spec: daemon/End.
    """
    host = Unready(None)
    async with starting(host, tmp_path, settings) as (daemon, answers):
        running = asyncio.ensure_future(daemon.run())
        await host.is_entered.wait()
        daemon.stop()

        assert await running == OK
    assert answers.stat().st_size == 0
