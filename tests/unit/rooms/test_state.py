"""Tests of `livebot.rooms.state`, on a real file system."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from livebot.ids import RoomToken
from livebot.rooms.state import FILE, MAX_BYTES, SET_ASIDE, StateFile
from livebot.rooms.wanted import WantedRoom, encode

ONE = WantedRoom(RoomToken("abcd1234"), "en")
OTHER = WantedRoom(RoomToken("efgh5678"), "fr")


def names(folder: Path) -> list[str]:
    """Return what lies there."""
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    """Return the permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_rooms_come_back(tmp_path: Path) -> None:
    """What was saved last is what is loaded; before that there is nothing."""
    file = StateFile(tmp_path / "some" / "state")
    assert file.load() == ()

    file.save([ONE])
    file.save([OTHER, ONE])

    assert file.load() == (OTHER, ONE)
    assert names(tmp_path / "some" / "state") == [FILE]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """Credentials are in it, so nobody else gets in, whatever the umask and what was there."""
    folder = tmp_path / "state"
    before = os.umask(0)
    try:
        file = StateFile(folder)
        file.load()
        (folder / "rooms.json.new").touch(mode=0o666)
        file.save([ONE])
    finally:
        os.umask(before)

    assert (mode(folder), mode(folder / FILE)) == (0o700, 0o600)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """What somebody put where the new file is written is not overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "rooms.json.new").symlink_to(victim)

    StateFile(tmp_path).save([ONE])

    assert victim.read_text() == "precious"
    assert StateFile(tmp_path).load() == (ONE,)


@pytest.mark.parametrize("broken", ["fsync", "write", "replace"])
def test_a_full_disk_leaves_the_old_rooms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Whichever step fails, the file is as it was, and nothing lies around."""
    file = StateFile(tmp_path)
    file.save([ONE])

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    targets = {
        "fsync": "livebot.rooms.state.os.fsync",
        "write": "livebot.rooms.state._write",
        "replace": "pathlib.Path.replace",
    }
    with monkeypatch.context() as patched:
        patched.setattr(targets[broken], full)
        with pytest.raises(OSError, match="No space"):
            file.save([OTHER])

    assert file.load() == (ONE,)
    assert names(tmp_path) == [FILE]


def test_too_many_rooms_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read again is not written in the first place."""
    monkeypatch.setattr("livebot.rooms.state.MAX_BYTES", len(encode([ONE])))
    file = StateFile(tmp_path)
    file.save([ONE])

    with pytest.raises(ValueError, match="too many"):
        file.save([ONE, OTHER])

    assert file.load() == (ONE,)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"\0" * 100), "JSON"),
        (lambda path: path.write_text('{"version": 7}'), "version"),
        (_large, "too large"),
        (os.mkfifo, "not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a file"),
        (lambda path: path.mkdir(), "directory"),
    ],
)
def test_what_is_no_state_is_refused_and_kept(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    """It neither hangs nor fills the memory; it can be set aside, and saving works then."""
    make(tmp_path / FILE)
    file = StateFile(tmp_path)

    with pytest.raises((ValueError, OSError), match=said):
        file.load()
    assert file.set_aside()
    file.save([ONE])

    assert file.load() == (ONE,)
    assert names(tmp_path) == [FILE, SET_ASIDE]


def test_what_cannot_be_set_aside_is_told(tmp_path: Path) -> None:
    """Where there is no file, or none that can be moved."""
    assert not StateFile(tmp_path / "gone").set_aside()
