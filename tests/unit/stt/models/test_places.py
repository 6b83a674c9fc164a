"""Where a model is looked for, and what is said where it is not."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from livebot.errors import EngineError
from livebot.stt.local import files
from livebot.stt.models import find, places, store
from livebot.stt.models.catalog import FILES, MOONSHINE, WHISPER

WHISPERS = ("config.json", "model.bin", "tokenizer.json", "vocabulary.json")
MOONSHINES = FILES[MOONSHINE].needed


@pytest.fixture(autouse=True)
def _no_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the models of this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)


def fill(folder: Path, names: Iterable[str] = WHISPERS) -> Path:
    """Make a folder with something in each file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)
    return folder


def test_a_name_may_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of either family, as its files tell; it is called by its own name, not its path.

    Spec: speech-models/Names.
    """
    mine = find(str(fill(tmp_path / "mine")), device="cpu", compute_type="int8")
    assert (mine.family, mine.name, mine.folder) == (WHISPER, "mine", str(tmp_path / "mine"))
    assert (mine.device, mine.compute_type) == ("cpu", "int8")

    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "moon", MOONSHINES)
    assert find("~/moon").family == MOONSHINE


def test_a_folder_that_is_not_complete_is_told(tmp_path: Path) -> None:
    """What it lacks, for which family; an empty file is as good as none.

    Spec: speech-models/Places.
    """
    fill(tmp_path, WHISPERS[:2])
    (tmp_path / "tokenizer.json").touch()

    with pytest.raises(
        EngineError, match=r"lacks tokenizer\.json, vocabulary\.json or vocabulary\.txt for whi"
    ):
        find(f"{tmp_path}/")
    with pytest.raises(EngineError, match=r"encoder_model\.ort.* for moonshine, or config\.json"):
        find(f"{tmp_path}/nothing")


def test_the_embedded_model_is_in_its_package(tmp_path: Path) -> None:
    """Unless `LT_MODEL_DIR` has one of its shape."""
    assert find("moonshine-tiny-en").folder == str(files.model_folder())

    other = fill(tmp_path / "base-en", MOONSHINES)
    assert find("moonshine-tiny-en", model_dir=other).folder == str(other)
    assert find("moonshine-base-en", model_dir=other).folder == str(other)


def test_a_folder_of_models(tmp_path: Path) -> None:
    """Each below its own name; those that are not there are looked for elsewhere."""
    fill(tmp_path / "small")

    assert find("small", model_dir=tmp_path).folder == str(tmp_path / "small")
    assert find("moonshine-tiny-en", model_dir=tmp_path).folder == str(files.model_folder())
    with pytest.raises(EngineError, match="the model tiny is not on this machine"):
        find("tiny", model_dir=tmp_path)


def test_a_folder_of_one_model_is_no_other(tmp_path: Path) -> None:
    """What it is called tells which it is; a name of its own may be any."""
    small = fill(tmp_path / "faster-whisper-small")
    mine = fill(tmp_path / "mine")

    assert find("small", model_dir=small).folder == str(small)
    assert find("base", model_dir=mine).folder == str(mine)
    with pytest.raises(EngineError, match="the model tiny is not on this machine"):
        find("tiny", model_dir=small)
    assert find("moonshine-tiny-en", model_dir=small).folder == str(files.model_folder())


def test_a_chosen_folder_that_does_not_do_is_told(tmp_path: Path) -> None:
    """Nobody who sets `LT_MODEL_DIR` wants another model without a word."""
    with pytest.raises(EngineError, match=r"LT_MODEL_DIR \(.*\) holds no model: tiny needs"):
        find("tiny", model_dir=tmp_path)
    with pytest.raises(EngineError, match=r"LT_MODEL_DIR in .* lacks vocabulary\.json or"):
        find("tiny", model_dir=fill(tmp_path / "broken", WHISPERS[:3]))
    fill(tmp_path / "tiny", WHISPERS[:3])
    with pytest.raises(EngineError, match=r"the model tiny in .* is not complete"):
        find("tiny", model_dir=tmp_path)


def test_our_cache_counts_only_with_its_record(tmp_path: Path) -> None:
    """Without it a download was not finished."""
    there = fill(tmp_path / "Systran--faster-whisper-tiny")
    with pytest.raises(EngineError, match="not on this machine"):
        find("tiny", cache=tmp_path)

    store.record(there, "Systran/faster-whisper-tiny", "main", WHISPERS)

    assert find("tiny", cache=tmp_path).folder == str(there)


def test_a_record_of_too_little_is_none(tmp_path: Path) -> None:
    """As a version of ours that needed fewer files might have written."""
    there = fill(tmp_path / "Systran--faster-whisper-tiny", WHISPERS[:3])
    store.record(there, "Systran/faster-whisper-tiny", "main", WHISPERS[:3])

    with pytest.raises(EngineError, match="not on this machine"):
        find("tiny", cache=tmp_path)


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"])
def test_what_other_programs_downloaded_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The hub's own cache, wherever its variables put it.

    Spec: speech-models/Places.
    """
    monkeypatch.setenv(variable, str(tmp_path / "theirs"))
    inner = {"XDG_CACHE_HOME": "huggingface/hub", "HF_HOME": "hub", "HF_HUB_CACHE": ""}[variable]
    repository = tmp_path / "theirs" / inner / "models--Systran--faster-whisper-tiny"
    snapshot = fill(repository / "snapshots" / "abc")
    with pytest.raises(EngineError, match="not on this machine"):
        find("tiny")
    fill(repository / "refs", ["main"])
    (repository / "refs" / "main").write_text("abc")

    assert find("tiny").folder == str(snapshot)
    (snapshot / "model.bin").unlink()
    with pytest.raises(EngineError, match="not on this machine"):
        find("tiny")


def test_what_to_do_about_a_missing_model() -> None:
    """The command, the size, the place, and how to do without a network."""
    with pytest.raises(EngineError) as caught:
        find("medium")

    assert not caught.value.retryable
    for cure in (
        "livebot models get medium",
        "1,530 MB",
        str(places.default_cache()),
        "LT_MODEL_CACHE",
        "LT_MODEL_DIR",
        "config.json, model.bin, tokenizer.json, vocabulary.json or vocabulary.txt",
    ):
        assert cure in str(caught.value)


def test_what_cannot_be_downloaded_says_so() -> None:
    """A folder is the only way, or another model."""
    with pytest.raises(
        EngineError,
        match=r"moonshine-base-en cannot be downloaded: set LT_MODEL_DIR .*tokenizer\.bin.*turbo",
    ):
        find("moonshine-base-en")


@pytest.mark.parametrize(("name", "extra"), [("tiny", "whisper"), ("moonshine-tiny-en", "local")])
def test_what_is_not_installed_is_told_first(
    monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    """Before gigabytes are downloaded for nothing."""
    monkeypatch.setattr(places, "find_spec", lambda _: None)

    with pytest.raises(EngineError, match=rf"pip install 'livebot\[{extra}\]'"):
        find(name)
