"""What AppAPI and Docker need to run livebot as an app agrees with the program."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from livebot import __version__
from livebot.settings import Settings

ROOT = Path(__file__).parents[3]
EXAPP = ROOT / "deploy" / "exapp"
INFO = ET.parse(EXAPP / "appinfo" / "info.xml").getroot()  # noqa: S314 - our own file
START = str(EXAPP / "start.sh")
HEALTH = str(EXAPP / "healthcheck.py")
VARIABLES = {str(field.validation_alias) for field in Settings.model_fields.values()}
HARP = {
    "HP_SHARED_KEY": "harp-key-0123456789",
    "HP_FRP_ADDRESS": "appapi-harp",
    "HP_FRP_PORT": "8782",
    "APP_ID": "live_transcription",
    "APP_PORT": "23000",
}


def text(path: str) -> str:
    """Return what an element of info.xml says."""
    return INFO.findtext(path) or ""


def test_app_is_the_one_that_talk_asks() -> None:
    """Id and version are what Talk and AppAPI compare. Spec: nextcloud/Installation."""
    assert text("id") == "live_transcription"
    assert text("version") == text("external-app/docker-install/image-tag") == __version__
    assert text("licence") == "agpl"
    assert re.fullmatch(r"[A-Z][A-Za-z]+", text("namespace"))
    nextcloud = INFO.find("dependencies/nextcloud")
    assert nextcloud is not None
    assert int(nextcloud.get("min-version", "0")) <= int(nextcloud.get("max-version", "0"))


def test_proxy_lets_nobody_through() -> None:
    """Whatever is not listed as a route cannot be asked through Nextcloud."""
    assert INFO.find(".//route") is None


def test_deploy_options_are_settings() -> None:
    """Each is a variable that means something, and says what."""
    found = INFO.findall("external-app/environment-variables/variable")

    names = [variable.findtext("name") for variable in found]
    assert "LT_INTERNAL_SECRET" in names
    assert len(names) == len(set(names))
    assert set(names) <= VARIABLES
    assert all(variable.findtext("display-name") for variable in found)
    assert all(variable.findtext("description") for variable in found)


def test_guide_names_settings_only() -> None:
    """What the administrator reads means something."""
    guide = (EXAPP / "README.md").read_text(encoding="utf-8")

    given = {"APP_DISPLAY_NAME", "HP_FRP_ADDRESS", "HP_FRP_PORT"}
    assert set(re.findall(r"\b((?:LT|APP|AA|HP)_[A-Z_]+)\b", guide)) <= VARIABLES | given


# -- start.sh


def programs(folder: Path, *, frpc: str = "exec sleep 60") -> Path:
    """Write a tunnel that notes how it was called, and return where it is."""
    program = folder / "bin" / "frpc"
    program.parent.mkdir()
    # Its environment holds no path but what start.sh leaves it.
    program.write_text(f'#!/bin/bash\nenv > "{folder}/env"\necho "$@" > "{folder}/args"\n{frpc}\n')
    program.chmod(0o755)
    return program.parent


@contextmanager
def started(folder: Path, app: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run start.sh with a program of shell; kill all that is left of it."""
    environment = {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "FRPC_CONFIG": f"{folder}/frpc.toml",
        "FRP_CERTS": f"{folder}/certs",
        "APP_SECRET": "app-secret",
        **variables,
    }
    process = subprocess.Popen(
        [START, "bash", "-c", app],
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Its own session, so nobody else is in that group.
        if _is_alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def run(folder: Path, app: str, **variables: str) -> tuple[int, str]:
    """Run start.sh to its end; return the status and what it said."""
    with started(folder, app, **variables) as process:
        _, said = process.communicate(timeout=20)
        assert not _is_alive(process.pid), "something is left behind"
        return process.returncode, said.decode()


def wait_for(file: Path) -> None:
    """Wait until a file has something in it."""
    deadline = time.monotonic() + 10
    while not (file.exists() and file.stat().st_size):
        assert time.monotonic() < deadline, f"no {file.name}"
        time.sleep(0.01)


def test_without_harp_there_is_no_tunnel(tmp_path: Path) -> None:
    """The app is all that runs, and its end is the end."""
    programs(tmp_path)

    assert run(tmp_path, "exit 7") == (7, "")
    assert not (tmp_path / "args").exists()
    assert not (tmp_path / "frpc.toml").exists()


@pytest.mark.parametrize("certs", [False, True])
def test_tunnel_to_harp(tmp_path: Path, certs: bool) -> None:
    """Its settings are HaRP's; nobody else reads them, and it knows no secret of the app's."""
    programs(tmp_path)
    if certs:
        (tmp_path / "certs").mkdir()

    status, said = run(tmp_path, f"while [ ! -s {tmp_path}/args ]; do sleep 0.01; done", **HARP)

    assert (status, said) == (0, "")
    config = tmp_path / "frpc.toml"
    assert (tmp_path / "args").read_text() == f"-c {config}\n"
    assert "app-secret" not in (tmp_path / "env").read_text()
    assert HARP["HP_SHARED_KEY"] not in (tmp_path / "env").read_text()
    assert config.stat().st_mode & 0o777 == 0o600
    found = tomllib.loads(config.read_text())
    tls = found.pop("transport")["tls"]
    assert found == {
        "serverAddr": "appapi-harp",
        "serverPort": 8782,
        "loginFailExit": False,
        "metadatas": {"token": HARP["HP_SHARED_KEY"]},
        "proxies": [
            {
                "name": "live_transcription",
                "type": "tcp",
                "remotePort": 23000,
                "plugin": {"type": "unix_domain_socket", "unixPath": "/tmp/exapp.sock"},
            }
        ],
    }
    expected = {
        "enable": True,
        "certFile": f"{tmp_path}/certs/client.crt",
        "keyFile": f"{tmp_path}/certs/client.key",
        "trustedCaFile": f"{tmp_path}/certs/ca.crt",
        "serverName": "harp.nc",
    }
    assert tls == (expected if certs else {"enable": False})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HP_SHARED_KEY", 'a"\nmetadatas.x = "b'),
        ("HP_FRP_ADDRESS", 'a"b'),
        ("HP_FRP_ADDRESS", ""),
        ("APP_ID", "a\\b"),
        ("APP_PORT", ""),
        ("HP_FRP_PORT", "1; true"),
    ],
)
def test_values_that_would_mean_something_else(tmp_path: Path, name: str, value: str) -> None:
    """They are refused by name, and not shown."""
    programs(tmp_path)

    status, said = run(tmp_path, "true", **HARP | {name: value})

    assert status == 2
    assert name in said
    assert not value or value not in said
    assert not (tmp_path / "args").exists()


def test_app_that_ends_ends_the_tunnel(tmp_path: Path) -> None:
    """Docker sees the status of the app, and starts both again."""
    programs(tmp_path)

    status, _ = run(tmp_path, f"until [ -s {tmp_path}/args ]; do sleep 0.01; done; exit 3", **HARP)

    assert status == 3


def test_tunnel_that_ends_ends_the_app(tmp_path: Path) -> None:
    """An app that nobody reaches is no use; it says goodbye first."""
    programs(tmp_path, frpc=f"until [ -e {tmp_path}/up ]; do sleep 0.01; done")
    bye = f"trap 'echo bye > {tmp_path}/bye; exit 0' TERM; touch {tmp_path}/up; sleep 60 & wait"

    with started(tmp_path, bye, **HARP) as process:
        # The sleep is the pretended app's own, and not start.sh's to end.
        assert process.wait(timeout=20) == 1

    assert (tmp_path / "bye").read_text() == "bye\n"


def test_stop_lets_the_app_finish(tmp_path: Path) -> None:
    """SIGTERM reaches the app, whose last words still have a tunnel; then both are gone."""
    programs(tmp_path)
    app = f"""
        trap 'kill $!; sleep 0.5; pgrep -g 0 sleep > {tmp_path}/last; exit 5' TERM
        sleep 50 & echo up > {tmp_path}/up; wait
    """

    with started(tmp_path, app, **HARP) as process:
        wait_for(tmp_path / "up")
        wait_for(tmp_path / "args")
        process.terminate()
        time.sleep(0.1)
        process.terminate()

        assert process.wait(timeout=20) == 5
        assert not _is_alive(process.pid)

    assert (tmp_path / "last").read_text().strip()


# -- healthcheck.py


def check(listener: socket.socket, answer: bytes, **variables: str) -> int:
    """Answer one request on a listening socket; return the health check's status."""

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            assert peer.recv(4096).startswith(b"GET /heartbeat HTTP/1.1\r\n")
            peer.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return subprocess.run(
            [sys.executable, HEALTH], env=variables, check=False, capture_output=True, timeout=20
        ).returncode
    finally:
        thread.join()


@pytest.mark.parametrize(
    ("status", "expected"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)]
)
def test_health_where_app_api_looks(tmp_path: Path, status: int, expected: int) -> None:
    """On the port that AppAPI gives, or on HaRP's socket."""
    answer = f"HTTP/1.1 {int(status)} X\r\nContent-Length: 0\r\n\r\n".encode()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert check(listener, answer, APP_HOST="0.0.0.0", APP_PORT=port) == expected
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        assert check(listener, answer, HP_SHARED_KEY="k", HEALTHCHECK_SOCKET=path) == expected


def test_health_without_an_app() -> None:
    """Nobody there is not healthy."""
    found = subprocess.run(
        [sys.executable, HEALTH], env={"APP_PORT": "1"}, check=False, capture_output=True
    )

    assert found.returncode != 0


# -- Dockerfile


def test_image_of_the_app_runs_without_root() -> None:
    """Every stage that runs ends as a plain user; the default is the image without AppAPI."""
    stages = re.split(
        r"^FROM ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    (exapp,) = (stage for stage in stages if stage.startswith("run AS exapp"))

    assert re.findall(r"^USER (.+)$", exapp, re.MULTILINE)[-1] == "10001:10001"
    assert 'ENTRYPOINT ["/opt/exapp/start.sh"]' in exapp
    assert stages[-1].startswith("run AS livebot")
    for copied in re.findall(r"deploy/exapp/\S+", exapp):
        assert (ROOT / copied).is_file()
    assert os.access(START, os.X_OK)
