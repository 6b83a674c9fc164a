"""The models that have a name."""

import pytest
from faster_whisper import utils

from livebot.errors import EngineError
from livebot.stt.models import names
from livebot.stt.models.catalog import (
    FILES,
    MOONSHINE,
    WHISPER,
    entry,
    family_of,
    is_folder,
    traces_of,
)


def test_the_seeds_models_are_there() -> None:
    """All sizes that people know, the embedded one first."""
    assert names()[0] == "moonshine-tiny-en"
    for size in ("tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en"):
        assert entry(size).family == WHISPER
    for size in ("large", "large-v2", "large-v3", "large-v3-turbo", "turbo"):
        assert not entry(size).languages
    assert entry("small.en").languages == entry("moonshine-base-en").languages == {"en"}


def test_they_come_from_where_faster_whisper_has_them() -> None:
    """Its own table of repositories, and ours: after an update that moves one, move ours too."""
    for name in names():
        if entry(name).family == WHISPER:
            assert entry(name).repository == utils._MODELS[name], f"{name} has moved"


@pytest.mark.parametrize(
    ("wrong", "meant"), [("Small", "small"), ("large-v3-tubro", "large-v3-turbo"), ("qwertz", "")]
)
def test_a_name_that_is_none_is_told(wrong: str, meant: str) -> None:
    """With the one that is like it, all there are, and how to name a folder.

    Spec: speech-models/Names.
    """
    with pytest.raises(EngineError, match="no model is called") as caught:
        entry(wrong)

    assert not caught.value.retryable
    assert ("did you mean" in str(caught.value)) == bool(meant)
    assert f"did you mean {meant}?" in str(caught.value) or not meant
    assert "large-v3-turbo" in str(caught.value)
    assert "./" in str(caught.value)


def test_folders_are_written_with_a_slash() -> None:
    """So that no model is loaded because a folder happens to be called like it."""
    assert is_folder("./tiny")
    assert is_folder("~/models/mine")
    assert not is_folder("tiny")


def test_files_tell_the_family() -> None:
    """All that is needed, and one of those that will do."""
    whisper = {"config.json", "model.bin", "tokenizer.json"}

    assert family_of({*whisper, "vocabulary.txt", "README.md"}) == WHISPER
    assert family_of(whisper) is None
    assert traces_of(whisper) == WHISPER
    assert FILES[WHISPER].missing(whisper) == ["vocabulary.json or vocabulary.txt"]
    assert family_of(FILES[MOONSHINE].needed) == MOONSHINE
    assert traces_of({"README.md"}) is None


def test_larger_models_are_larger() -> None:
    """As much as is said to come does come, about."""
    sizes = [entry(name).size for name in ("tiny", "base", "small", "medium", "large-v3")]

    assert sizes == sorted(set(sizes))
