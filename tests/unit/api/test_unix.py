"""The unix socket that HaRP's tunnel wants."""

import socket
import stat
from pathlib import Path

import pytest

from livebot.api import unix


def test_a_deserted_socket_is_replaced(tmp_path: Path) -> None:
    """A process that was killed leaves its name behind. Spec: talk-app/HaRP."""
    path = tmp_path / "exapp.sock"
    unix.bind(path).close()
    assert path.is_socket()

    with unix.bind(path) as listening:
        listening.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_one_that_is_in_use_is_not(tmp_path: Path) -> None:
    """Two processes would take turns in not being reached."""
    path = tmp_path / "exapp.sock"
    with unix.bind(path) as listening:
        listening.listen()
        with pytest.raises(OSError, match="in use"):
            unix.bind(path)


def test_only_its_owner_may_connect(tmp_path: Path) -> None:
    """Whoever is on the same machine is not Nextcloud."""
    path = tmp_path / "exapp.sock"
    with unix.bind(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    """A file under that name is somebody's."""
    path = tmp_path / "exapp.sock"
    path.write_text("mine")

    with pytest.raises(OSError, match="in use"):
        unix.bind(path)
    assert path.read_text() == "mine"


def test_removing_twice_is_no_fault(tmp_path: Path) -> None:
    """Somebody else may have done it."""
    path = tmp_path / "exapp.sock"
    unix.bind(path).close()

    unix.remove(path)
    unix.remove(path)
    assert not path.exists()
