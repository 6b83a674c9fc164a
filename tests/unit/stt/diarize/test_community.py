"""Where the models come from."""

import importlib.util
from pathlib import Path

import pytest

from livebot.errors import EngineError
from livebot.stt.diarize import community


def test_the_package_has_the_models() -> None:
    """They are ORT files; guards the names, which are no interface of the package."""
    models = community.load()

    assert models.segmentation[4:8] == b"ORTM"
    assert models.embedding[4:8] == b"ORTM"
    assert (len(models.segmentation), len(models.embedding)) == (1_594_080, 6_975_920)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, with its cure."""
    monkeypatch.setattr(community, "find_spec", lambda _: None)

    with pytest.raises(EngineError, match=r"pip install 'livebot\[local\]'") as told:
        community.load()
    assert not told.value.retryable


def test_a_library_for_another_platform_is_no_traceback(tmp_path: Path) -> None:
    """Nor one of another version."""
    foreign = tmp_path / "libmoonshine.so"
    foreign.write_bytes(b"MZ")
    spec = importlib.util.find_spec("_ctypes")
    assert spec is not None
    assert spec.origin is not None

    for path in (foreign, Path(spec.origin)):
        with pytest.raises(EngineError, match="do without"):
            community.load(path)
