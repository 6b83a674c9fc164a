"""Only files below allowed folders are read."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.errors import FetchError
from livebot.fetch.paths import allowed_file


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make an allowed folder beside secret things."""
    (tmp_path / "open" / "deep").mkdir(parents=True)
    (tmp_path / "open" / "deep" / "a b.wav").write_bytes(b"sound")
    (tmp_path / "open-not").mkdir()
    (tmp_path / "open-not" / "secret.wav").write_bytes(b"secret")
    (tmp_path / "open" / "link.wav").symlink_to(tmp_path / "open-not" / "secret.wav")
    (tmp_path / "open" / "folder").symlink_to(tmp_path / "open-not")
    (tmp_path / "open" / "fine.wav").symlink_to(tmp_path / "open" / "deep" / "a b.wav")
    (tmp_path / "open" / "loop").symlink_to(tmp_path / "open" / "loop")
    os.mkfifo(tmp_path / "open" / "pipe")
    return tmp_path


def test_files_below_a_folder_are_read(place: Path) -> None:
    """By path, by URL and by a link that stays inside."""
    folder = place / "open"
    target = (folder / "deep" / "a b.wav").resolve()

    for text in (
        f"{folder}/deep/a b.wav",
        f"{folder}/deep/../deep/a b.wav",
        f"file://{folder}/deep/a%20b.wav",
        f"file://localhost{folder}/deep/a%20b.wav",
        f"FILE:{folder}/deep/a%20b.wav",
        f"{folder}/fine.wav",
    ):
        assert allowed_file(text, [place / "nowhere", folder]) == target


@pytest.mark.parametrize(
    "inside",
    [
        "link.wav",
        "folder/secret.wav",
        "../open-not/secret.wav",
        "deep/../../open-not/secret.wav",
        "../open-not/no-such-file",
        "../../../../../../../etc/passwd",
    ],
)
def test_nothing_leads_out(place: Path, inside: str) -> None:
    """Neither links nor dots; whether a file is there outside is not told.

    Spec: daemon/Files of this machine.
    """
    folder = place / "open"
    for text in (f"{folder}/{inside}", f"file://{folder}/{inside}"):
        with pytest.raises(FetchError, match="not below a folder that LT_ALLOWED_PATHS names"):
            allowed_file(text, [folder])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file://elsewhere/open/a.wav", "cannot be read"),
        ("file:relative.wav", "cannot be read"),
        ("file:///a%00b", "cannot be read"),
        ("file:///a%ff", "cannot be read"),
        ("file://[::1/a", "cannot be read"),
        ("a\0b", "empty, or longer"),
        ("", "empty, or longer"),
        ("x" * 5000, "empty, or longer"),
    ],
)
def test_what_is_no_path_is_refused(place: Path, text: str, complaint: str) -> None:
    """Each with its reason."""
    with pytest.raises(FetchError, match=complaint):
        allowed_file(text, [place])


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing.wav", "No such file"),
        ("deep", "is no file"),
        ("pipe", "is no file"),
        ("loop", "LT_ALLOWED_PATHS|symbolic links"),
    ],
)
def test_what_is_no_readable_file_is_told(place: Path, name: str, complaint: str) -> None:
    """Inside of an allowed folder the reason is told; a pipe would be waited for forever."""
    with pytest.raises(FetchError, match=complaint):
        allowed_file(f"{place}/open/{name}", [place / "open"])


def test_without_the_setting_nothing_is_read(place: Path) -> None:
    """The cure is told.

    Spec: daemon/Files of this machine.
    """
    with pytest.raises(FetchError, match="LT_ALLOWED_PATHS"):
        allowed_file(f"{place}/open/deep/a b.wav", [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(text=st.text(max_size=40) | st.text(max_size=40).map("file:///{}".format))
def test_only_one_error_leaves(place: Path, text: str) -> None:
    """Whatever text it is, what comes back lies below the folder."""
    try:
        found = allowed_file(text, [place / "open"])
    except FetchError:
        return
    assert found.is_relative_to((place / "open").resolve())
