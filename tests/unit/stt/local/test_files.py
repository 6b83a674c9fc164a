"""Finding the models, and saying what to do where they are not."""

import subprocess
import sys
from pathlib import Path

import pytest

from livebot.errors import EngineError
from livebot.stt.local import files


def test_the_packaged_models_are_found_without_importing_their_packages() -> None:
    """The packages that carry them would load downloaders and C libraries."""
    program = """if True:
        import sys
        from livebot.stt.local import files
        print((files.model_folder() / files.ENCODER).is_file(), files.vad_file().is_file())
        print(*{"moonshine_voice", "faster_whisper"} & set(sys.modules))
    """
    # Other tests import them, so in a process of its own.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stdout.decode().splitlines() == ["True True", ""]


def test_a_chosen_folder_wins(tmp_path: Path) -> None:
    """A folder with the three files is taken as it is."""
    for name in (files.ENCODER, files.DECODER, files.TOKENIZER):
        (tmp_path / name).touch()

    assert files.model_folder(str(tmp_path)) == tmp_path


def test_a_missing_file_is_named_with_its_cure(tmp_path: Path) -> None:
    """What is missing, where, and what to do."""
    (tmp_path / files.ENCODER).touch()
    (tmp_path / files.DECODER).touch()

    with pytest.raises(EngineError, match=r"tokenizer\.bin.*pip install 'livebot\[local\]'") as e:
        files.model_folder(str(tmp_path))
    assert not e.value.retryable
    assert "kyutai" in str(e.value)
    assert "LT_MODEL_DIR" in str(e.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a platform for which there is no wheel."""
    monkeypatch.setattr(files, "find_spec", lambda _: None)

    with pytest.raises(EngineError, match="moonshine_voice is not installed"):
        files.model_folder()
    with pytest.raises(EngineError, match="faster_whisper is not installed"):
        files.vad_file()
