"""The models of pyannote's community-1, which the package moonshine-voice carries.

They are constants inside its C++ library (CC BY 4.0, by pyannoteAI), and its own diarizer
uses them. That one takes no number of speakers, tells no progress, needs most of a second for a
second of audio and compares all that was said with all of it; so only the models are taken
from it. Their names belong to version 0.1.0, which the extra `local` pins.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from livebot.errors import EngineError

CURE = (
    "pip install 'livebot[local]' (speakers are told apart on Linux with glibc >= 2.34 on x86_64 "
    "or >= 2.31 on aarch64, and on macOS 15 on Apple silicon), or do without telling them apart"
)
"""What to do where the models are not to be had."""

_PACKAGE = "moonshine_voice"
_LIBRARIES = ("libmoonshine.so", "libmoonshine.dylib")
_NAMESPACE = "_ZN9cppannote19embedded_community1"
_MOST = 1 << 26


@dataclass(frozen=True, slots=True)
class Community:
    """The models, as ORT files.

    Attributes:
        segmentation: Who of up to three speaks when in ten seconds.
        embedding: A vector that is much the same wherever the same person speaks.
    """

    segmentation: bytes
    embedding: bytes


def load(library: Path | None = None) -> Community:
    """Take the models out of the library.

    Args:
        library: The file; by default the package's.

    Raises:
        EngineError: The package is not installed, or this platform's has no such models.
    """
    chosen = library or _find()
    try:
        # It is not called, only read.
        constants = ctypes.CDLL(str(chosen))
        segmentation = _constant(constants, "segmentation_ort_data")
        return Community(segmentation, _constant(constants, "embedding_ort_data"))
    except (OSError, ValueError) as exc:  # not for this platform; no such constant
        raise EngineError(f"no models that tell speakers apart: {CURE}", retryable=False) from exc


def _find() -> Path:
    # Importing the package would pull in downloaders that nobody needs here.
    spec = find_spec(_PACKAGE)
    places: Sequence[str] = (spec.submodule_search_locations if spec else None) or ()
    paths = [Path(place) / name for place in places for name in _LIBRARIES]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise EngineError(f"no models that tell speakers apart: {CURE}", retryable=False)
    return found[0]


def _constant(library: ctypes.CDLL, name: str) -> bytes:
    """Return a constant of the C++ namespace, which has its size beside it."""
    size = ctypes.c_size_t.in_dll(library, _mangled(f"{name}_size")).value
    if size > _MOST:
        raise ValueError(f"{name} has {size} bytes")
    return bytes((ctypes.c_ubyte * size).in_dll(library, _mangled(name)))


def _mangled(name: str) -> str:
    return f"{_NAMESPACE}{len(name)}{name}E"
