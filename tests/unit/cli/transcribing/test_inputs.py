"""Which recordings are meant."""

import io
import os
import sys
from pathlib import Path, PurePath

import pytest

from livebot.cli.transcribing.inputs import Found, find
from livebot.errors import ConfigError, RecordingError
from tests.support.sound_files import without_privileges


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Return a folder for what is piped."""
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with recordings and other things."""
    for name in ("b.MP3", "a.wav", "notes.txt", ".hidden.wav", "sub/c.mp4", ".git/d.wav"):
        path = tmp_path / "talks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "talks"


def names(found: Found) -> list[str]:
    """Return what the recordings are called."""
    return [each.name for each in found.inputs]


class Stdin(io.TextIOWrapper):
    """Something that is piped, or a terminal."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data))
        self._terminal = terminal

    def isatty(self) -> bool:
        """Say whether it is one."""
        return self._terminal


def test_files_are_taken_whatever_they_are_called(folder: Path, spool: Path) -> None:
    """Whoever names one means it."""
    found = find([str(folder / "notes.txt"), str(folder / "a.wav")], spool)
    assert names(found) == [str(folder / "notes.txt"), str(folder / "a.wav")]
    assert [each.target for each in found.inputs] == [PurePath("notes"), PurePath("a")]


def test_a_folder_is_all_recordings_below_it(folder: Path, spool: Path) -> None:
    """By their names, in order; others are told of. Spec: command-line/Recordings."""
    found = find([str(folder)], spool)
    assert names(found) == [str(folder / name) for name in ("a.wav", "b.MP3", "sub/c.mp4")]
    assert [str(each.target) for each in found.inputs] == ["a", "b", "sub/c"]
    (note,) = found.notes
    assert note.startswith(f"{folder}: left out 1 by their names")
    assert "notes.txt" in note
    assert found.faults == []


def test_many_others_are_counted(folder: Path, spool: Path) -> None:
    """And not all named."""
    for number in range(9):
        (folder / f"{number}.pdf").touch()
    (note,) = find([str(folder)], spool).notes
    assert "left out 10" in note
    assert note.endswith("0.pdf, " + f"{folder}/1.pdf, {folder}/2.pdf, ...")


def test_each_recording_is_taken_once(folder: Path, spool: Path) -> None:
    """However often it is named."""
    (folder / "link.wav").symlink_to(folder / "a.wav")
    found = find([str(folder / "a.wav"), str(folder)], spool)
    assert names(found) == [str(folder / name) for name in ("a.wav", "b.MP3", "sub/c.mp4")]


def test_what_cannot_be_read_is_told_and_the_rest_taken(folder: Path, spool: Path) -> None:
    """With the cure."""
    (folder / "empty").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    given = ["nope.wav", "a\0b", "/dev/zero", "pipe", "empty", "a.wav/x.wav", "loop.wav", "a.wav"]

    found = find([str(folder / name) for name in given], spool)

    assert names(found) == [str(folder / "a.wav")]
    wrong = [
        "no such file",
        "null",
        "device",
        "it is a pipe",
        "no recordings are in this folder",
        "no such file",
        "symbolic links",
    ]
    assert len(found.faults) == len(wrong)
    for (_, text), part in zip(found.faults, wrong, strict=True):
        assert part in text
        assert "; " in text


def test_an_empty_name_is_none(folder: Path, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a variable that is not set; it does not mean all that is here."""
    monkeypatch.chdir(folder)
    found = find([""], spool)
    assert (found.inputs, len(found.faults)) == ([], 1)


def test_a_name_that_is_no_text_gets_another(folder: Path, spool: Path) -> None:
    """Workers are told names as text; what is written is called like the recording."""
    (folder / "\udcff.wav").write_text("bytes")
    (found,) = find([str(folder / "\udcff.wav")], spool).inputs
    assert found.name == str(folder / "\udcff.wav")
    assert found.target == PurePath("\udcff")
    assert found.path.read_text() == "bytes"
    assert str(found.path).encode()


def test_broken_links_in_folders_are_told(folder: Path, spool: Path) -> None:
    """Like what somebody named."""
    (folder / "z.wav").symlink_to(folder / "nothing")
    found = find([str(folder)], spool)
    assert [name for name, _ in found.faults] == [str(folder / "z.wav")]


def test_forbidden_folders_are_told(folder: Path, spool: Path) -> None:
    """They are not just empty."""
    (folder / "sub").chmod(0)
    for part in (folder, *folder.parents[:3]):
        part.chmod(0o755)
    with without_privileges():
        found = find([str(folder)], spool)
    assert "may not be read" in found.faults[0][1]
    assert names(found) == [str(folder / name) for name in ("a.wav", "b.MP3")]


def test_what_comes_on_stdin_is_kept(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most formats have to be read back and forth."""
    monkeypatch.setattr(sys, "stdin", Stdin(b"RIFF"))
    (found,) = find(["-"], spool).inputs
    assert (found.name, found.target) == ("stdin", PurePath("stdin"))
    assert found.path.read_bytes() == b"RIFF"
    assert found.path.parent == spool


def test_a_pipe_of_the_shell_is_kept(spool: Path) -> None:
    """As of `<(ffmpeg ...)`."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(b"RIFF")
    (found,) = find([f"/dev/fd/{reader}"], spool).inputs
    os.close(reader)
    assert found.path.read_bytes() == b"RIFF"


def test_stdin_that_is_a_terminal_is_wrong_use(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for ever. Spec: command-line/Recordings."""
    monkeypatch.setattr(sys, "stdin", Stdin(b"", terminal=True))
    with pytest.raises(ConfigError, match="is the terminal"):
        find(["-"], spool)


def test_stdin_twice_is_wrong_use(spool: Path) -> None:
    """It can be read once."""
    with pytest.raises(ConfigError, match="once"):
        find(["-", "a.wav", "-"], spool)


def test_no_room_for_what_is_piped(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cure is named."""
    monkeypatch.setattr(sys, "stdin", Stdin(b"RIFF"))
    (spool / "pipe0").symlink_to("/dev/full")
    with pytest.raises(RecordingError, match=r"No space left.*LT_TEMP_DIR"):
        find(["-"], spool)
