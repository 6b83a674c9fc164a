"""Files that are there as a whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from livebot.cli.transcribing.writing import WritingError, write_file


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    """And nothing is left beside it."""
    path = tmp_path / "a" / "b" / "x.txt"
    write_file(path, "Zwölf\n")
    assert path.read_bytes() == "Zwölf\n".encode()
    assert [each.name for each in path.parent.iterdir()] == ["x.txt"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full: make room"), (errno.EACCES, "not allowed"), (5, "error")],
)
def test_what_was_there_stays_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    """Half a file is worse than none. Spec: command-line/Transcripts."""
    path = tmp_path / "x.txt"
    path.write_text("before")

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(WritingError, match=said) as caught:
        write_file(path, "after")
    assert str(path) in str(caught.value)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["x.txt"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    (tmp_path / "x").write_text("before")
    (tmp_path / "link").symlink_to("x")
    write_file(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "x").read_text() == "after"


def test_devices_are_written_as_they_are() -> None:
    """A full one says so."""
    write_file(Path(os.devnull), "text")
    assert not Path(os.devnull).is_file()
    with pytest.raises(WritingError, match="/dev/full cannot be written: the disk is full"):
        write_file(Path("/dev/full"), "text")


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    """It is told."""
    (tmp_path / "x").touch()
    with pytest.raises(WritingError, match="cannot be written"):
        write_file(tmp_path / "x" / "y.txt", "text")
