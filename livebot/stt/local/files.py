"""Where the model files are; found without importing the packages that carry them."""

from importlib.util import find_spec
from pathlib import Path

from livebot.errors import EngineError

ENCODER = "encoder_model.ort"
DECODER = "decoder_model_merged.ort"
TOKENIZER = "tokenizer.bin"
_FILES = (ENCODER, DECODER, TOKENIZER)

CURE = (
    "pip install 'livebot[local]' (it runs on Linux with glibc >= 2.34 on x86_64 or >= 2.31 on "
    "aarch64, macOS 15 on Apple silicon and Windows x64); elsewhere set LT_MODEL_DIR to a folder "
    f"with {', '.join(_FILES)}, or choose the engine kyutai or moshi"
)
"""What to do where the embedded engine is not complete."""


def model_folder(chosen: str = "") -> Path:
    """Return the folder of the speech model.

    Args:
        chosen: A folder to use instead of the one that comes with the package.

    Raises:
        EngineError: There is none, or a file is missing in it.
    """
    folder = Path(chosen).expanduser() if chosen else _packaged("moonshine_voice", "tiny-en")
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise EngineError(f"no {', '.join(missing)} in {folder}: {CURE}", retryable=False)
    return folder


def vad_file() -> Path:
    """Return the voice activity model.

    Raises:
        EngineError: It is not installed.
    """
    path = _packaged("faster_whisper", "silero_vad_v6.onnx")
    if not path.is_file():
        raise EngineError(f"no voice activity model at {path}: {CURE}", retryable=False)
    return path


def _packaged(package: str, name: str) -> Path:
    # Importing them would pull in downloaders and C libraries that nobody needs here.
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise EngineError(f"the package {package} is not installed: {CURE}", retryable=False)
    return Path(places[0]) / "assets" / name
