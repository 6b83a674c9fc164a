"""Whether the app is enabled, on the disk."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from livebot.nextcloud.enabled_file import FILE, EnabledFile


@pytest.mark.parametrize("enabled", [True, False])
async def test_is_kept(tmp_path: Path, enabled: bool) -> None:
    """What was saved is loaded, in a folder that was not there."""
    await EnabledFile(tmp_path / "new").save(enabled=not enabled)
    await EnabledFile(tmp_path / "new").save(enabled=enabled)

    assert await EnabledFile(tmp_path / "new").load() is enabled
    assert [file.name for file in (tmp_path / "new").iterdir()] == [FILE]


@pytest.mark.parametrize("content", [b"", b"maybe", b"\xff\xfe"])
async def test_anything_else_is_enabled(tmp_path: Path, content: bytes) -> None:
    """Only a clear no is a no: Nextcloud asks nothing of an app that it disabled."""
    (tmp_path / FILE).write_bytes(content)

    assert await EnabledFile(tmp_path).load()


async def test_nothing_is_enabled(tmp_path: Path) -> None:
    """Neither a folder nor a file is needed."""
    assert await EnabledFile(None).load()
    assert await EnabledFile(tmp_path).load()
    await EnabledFile(None).save(enabled=False)


async def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told, and goes on."""
    (tmp_path / "file").write_text("")
    kept = EnabledFile(tmp_path / "file")

    with capture_logs() as logs:
        await kept.save(enabled=False)
        assert await kept.load()

    assert [entry["event"] for entry in logs] == ["enabled_not_written", "enabled_not_read"]
