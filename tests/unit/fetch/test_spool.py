"""Temporary files leave with their process; those of crashed ones are removed by age."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livebot.errors import ConfigError
from livebot.fetch.spool import PREFIX, clean, spool

CRASH = """
import os, sys
from pathlib import Path
from livebot.fetch.spool import spool
with spool(Path(sys.argv[1])) as folder:
    (folder / "sound").write_bytes(b"x")
    os._exit(9)
"""


def crashed(place: Path, *, age_s: float) -> Path:
    """Let a process die with a file in its folder; make that look old."""
    code = subprocess.run([sys.executable, "-c", CRASH, str(place)], check=False).returncode
    assert code == 9
    (folder,) = place.glob(f"{PREFIX}*")
    then = time.time() - age_s
    os.utime(folder, (then, then))
    return folder


def test_a_folder_of_our_own_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    """Nobody else can look into it, and nothing of it is left.

    Spec: daemon/Temporary files.
    """
    with spool(tmp_path / "new" / "place") as folder:
        (folder / "sound").write_bytes(b"x")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert list((tmp_path / "new" / "place").iterdir()) == []


def test_it_goes_where_its_owner_fails_too(tmp_path: Path) -> None:
    """An error on the way changes nothing."""
    with pytest.raises(ZeroDivisionError), spool(tmp_path):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_is_removed_by_age(tmp_path: Path) -> None:
    """Not before its time, and at its time.

    Spec: daemon/Temporary files.
    """
    crashed(tmp_path, age_s=100)

    with spool(tmp_path, retention_s=1000):
        assert len(list(tmp_path.iterdir())) == 2
    with spool(tmp_path, retention_s=50):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_who_lives_keeps_its_folder(tmp_path: Path) -> None:
    """However old it looks.

    Spec: daemon/Temporary files.
    """
    with spool(tmp_path) as folder:
        os.utime(folder, (0, 0))

        assert clean(tmp_path, older_s=0) == 0
        assert folder.exists()


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    """Neither other names, nor files, nor links, nor what these lead to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"x")
    place = tmp_path / "place"
    place.mkdir()
    (place / f"{PREFIX}abcdefgh").symlink_to(elsewhere)
    (place / f"{PREFIX}bcdefghi").write_bytes(b"a file")
    (place / f"{PREFIX}too-long-for-us").mkdir()
    (place / "livebot").mkdir()
    for entry in place.iterdir():
        os.utime(entry, (0, 0), follow_symlinks=False)

    assert clean(place, older_s=0) == 0
    assert len(list(place.iterdir())) == 4
    assert (elsewhere / "precious").exists()


def test_cleaning_can_be_switched_off(tmp_path: Path) -> None:
    """Then everything stays, for somebody to look at."""
    left = crashed(tmp_path, age_s=1e6)

    with spool(tmp_path, cleanup=False) as folder:
        assert left.exists()
    assert folder.exists()


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    """With the setting to change."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="LT_TEMP_DIR"), spool(tmp_path / "file"):
        pass


def test_a_place_that_is_gone_is_clean(tmp_path: Path) -> None:
    """Somebody else may have removed it."""
    assert clean(tmp_path / "gone", older_s=0) == 0
