"""Where models lie on this machine. All of this blocks: call it from threads.

In this order: the folder that the name is, `LT_MODEL_DIR` (the folder itself, or one in it
that is called like the model), the package that carries it, our cache, the hub's own cache.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from livebot.errors import EngineError
from livebot.stt.local import files as packaged
from livebot.stt.model import ModelSpec
from livebot.stt.models import store
from livebot.stt.models.catalog import (
    EXTRA,
    FILES,
    MOONSHINE,
    WHISPER,
    Entry,
    entry,
    family_of,
    is_folder,
    names,
    traces_of,
)

_PACKAGED = "moonshine-tiny-en"

_MODULES = {MOONSHINE: ("onnxruntime",), WHISPER: ("faster_whisper", "ctranslate2")}


def find(
    name: str,
    *,
    model_dir: Path | None = None,
    cache: Path | None = None,
    device: str = "auto",
    compute_type: str = "auto",
) -> ModelSpec:
    """Return a model that is on this machine.

    Args:
        name: One of `names()`, or a folder, written with a slash.
        model_dir: `LT_MODEL_DIR`.
        cache: Where downloaded models are; None for the usual place.
        device: Goes into the answer.
        compute_type: Goes into the answer.

    Raises:
        EngineError: It is not here; the text says what to do.
    """
    found = locate(name, model_dir=model_dir, cache=cache)
    if found is None:
        raise EngineError(missing(entry(name), cache), retryable=False)
    family, folder = found
    return ModelSpec(family, called(name), str(folder), device, compute_type)


def locate(name: str, *, model_dir: Path | None, cache: Path | None) -> tuple[str, Path] | None:
    """Return a model's family and folder; None where it is not on this machine.

    Raises:
        EngineError: There is no such model, its folder is not complete, or what loads it is
            not installed.
    """
    if is_folder(name):
        return _checked(Path(name).expanduser(), "the model")
    wanted = entry(name)
    _installed(wanted.family)
    chosen = _chosen(wanted, model_dir) if model_dir else None
    if chosen or name == _PACKAGED:
        return wanted.family, chosen or packaged.model_folder()
    for folder in (cached(wanted, cache), _hub_snapshot(wanted)):
        if folder and _is_whole(wanted, folder):
            return wanted.family, folder
    return None


def called(name: str) -> str:
    """Return what to call a model in answers: a folder by its own name, without its path."""
    return Path(os.path.normpath(name)).name if is_folder(name) else name


def default_cache() -> Path:
    """Return where downloaded models are unless `LT_MODEL_CACHE` says otherwise."""
    return _caches() / "livebot" / "models"


def cached(wanted: Entry, cache: Path | None) -> Path | None:
    """Return where our cache has or would have a model; None where nothing can be downloaded."""
    if not wanted.repository:
        return None
    # By what it is: two names may mean the same.
    return (cache or default_cache()) / wanted.repository.replace("/", "--")


def missing(wanted: Entry, cache: Path | None = None) -> str:
    """Return that a model is not here, and what to do; `cache` is where it would come to."""
    by_hand = f"set LT_MODEL_DIR to a folder with {FILES[wanted.family].in_words()}"
    if not wanted.repository:
        others = ", ".join(other for other in names() if other != wanted.name)
        return (
            f"the model {wanted.name} cannot be downloaded: {by_hand}, or choose another "
            f"(LT_MODEL, --model): {others}"
        )
    return (
        f"the model {wanted.name} is not on this machine: run `livebot models get {wanted.name}` "
        f"with a network, which downloads about {megabytes(wanted.size)} to "
        f"{cache or default_cache()} (LT_MODEL_CACHE), or {by_hand}"
    )


def megabytes(size: int) -> str:
    """Return a size for people."""
    return f"{max(1, round(size / 1e6)):,} MB"


def _installed(family: str) -> None:
    lacking = [module for module in _MODULES[family] if find_spec(module) is None]
    if lacking:
        raise EngineError(
            f"{family} models need {', '.join(lacking)}: pip install 'livebot[{EXTRA[family]}]'",
            retryable=False,
        )


def _chosen(wanted: Entry, model_dir: Path) -> Path | None:
    """Return the model's folder in `LT_MODEL_DIR`; None where that is about other models."""
    inner = model_dir / wanted.name
    if inner.is_dir():
        _checked(inner, f"the model {wanted.name}")
        return inner
    there = store.listing(model_dir)
    family = family_of(there)
    if family == wanted.family and not _is_another(wanted, model_dir):
        return model_dir
    if family is None and traces_of(there) == wanted.family:
        _checked(model_dir, "LT_MODEL_DIR")
    if family is None and not any((model_dir / name).is_dir() for name in names()):
        raise EngineError(
            f"LT_MODEL_DIR ({model_dir}) holds no model: {wanted.name} needs "
            f"{FILES[wanted.family].in_words()}, there or in a folder {wanted.name} in it",
            retryable=False,
        )
    return None


def _is_another(wanted: Entry, folder: Path) -> bool:
    """Return whether a folder of the family says by its name that it is another model."""
    if wanted.family != WHISPER:
        return False  # the embedded one may be replaced by any of its shape
    said = folder.resolve().name.removeprefix("faster-whisper-").removeprefix("whisper-")
    return said in names() and entry(said).repository != wanted.repository


def _checked(folder: Path, what: str) -> tuple[str, Path]:
    there = store.listing(folder)
    family = family_of(there)
    if family is None:
        traces = traces_of(there)
        lacks = [
            f"{', '.join(files.missing(there))} for {name}"
            for name, files in FILES.items()
            if traces in {None, name}
        ]
        raise EngineError(
            f"{what} in {folder} is not complete: it lacks {', or '.join(lacks)}", retryable=False
        )
    _installed(family)
    return family, folder


def _is_whole(wanted: Entry, folder: Path) -> bool:
    if FILES[wanted.family].missing(store.listing(folder)):
        return False
    # What the hub's own program keeps has no record of ours.
    return folder.parent.name == "snapshots" or store.recorded(folder) is not None


def _hub_snapshot(wanted: Entry) -> Path | None:
    """Return what the hub's own program, which other programs use, has downloaded."""
    if not wanted.repository:
        return None
    home = os.environ.get("HF_HOME") or _caches() / "huggingface"
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()
    kept = hub / f"models--{wanted.repository.replace('/', '--')}"
    try:
        revision = (kept / "refs" / "main").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return kept / "snapshots" / revision


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
