"""What a request names becomes a file, or one error."""

from pathlib import Path

import pytest

from livebot.daemon.sources import Sources
from livebot.errors import FetchError
from livebot.fetch.http import Limits


@pytest.mark.parametrize("form", ["{}", "file://{}", "FILE://{}"])
async def test_files_of_allowed_folders_are_used_where_they_are(tmp_path: Path, form: str) -> None:
    """By path and by URL, whichever key they came under."""
    file = tmp_path / "a.wav"
    file.write_bytes(b"sound")
    sources = Sources(tmp_path, Limits(), [tmp_path])

    async with sources.file(form.format(file)) as path:
        assert path == file.resolve()
    assert file.exists()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("/etc/passwd", "LT_ALLOWED_PATHS"),
        ("file:///etc/passwd", "LT_ALLOWED_PATHS"),
        ("File:/etc/passwd", "LT_ALLOWED_PATHS"),
        ("etc/passwd", "LT_ALLOWED_PATHS"),
        ("a:b", "LT_ALLOWED_PATHS"),
        ("ftp://host/a", "only addresses of http"),
        ("s3://bucket/a", "only addresses of http"),
        ("HTTP://127.0.0.1/a", "private network"),
        ("https://127.0.0.1/a", "private network"),
        ("http:a", "cannot be read"),
    ],
)
async def test_nothing_else_is(tmp_path: Path, source: str, complaint: str) -> None:
    """Each with its cure.

    Spec: daemon/Files of this machine, daemon/Addresses.
    """
    for folders in ([], [tmp_path]):
        with pytest.raises(FetchError, match=complaint):
            async with Sources(tmp_path, Limits(), folders).file(source):
                pass
