"""Get a model: from this machine, or from the hub where it is missing."""

import asyncio
from pathlib import Path

from livebot.errors import EngineError
from livebot.stt.model import ModelSpec
from livebot.stt.models import places
from livebot.stt.models.catalog import HUB, entry
from livebot.stt.models.fetching import Fetching, OnProgress


async def provide(
    name: str,
    *,
    model_dir: Path | None = None,
    cache: Path | None = None,
    source: str = "",
    offline: bool = False,
    device: str = "auto",
    compute_type: str = "auto",
    on_progress: OnProgress | None = None,
) -> ModelSpec:
    """Return a model, which is downloaded where it is missing.

    Cancelling stops the download; another try goes on where it stopped.

    Args:
        name: One of `names()`, or a folder, written with a slash.
        model_dir: `LT_MODEL_DIR`.
        cache: Where downloaded models are kept; None for the usual place.
        source: A mirror to download from; empty for the hub.
        offline: Download nothing.
        device: Goes into the answer.
        compute_type: Goes into the answer.
        on_progress: Is told how far the download is.

    Raises:
        EngineError: It cannot be had; the text says what to do.
    """
    found = await asyncio.to_thread(places.locate, name, model_dir=model_dir, cache=cache)
    if found is None:
        wanted = entry(name)
        folder = places.cached(wanted, cache)
        if folder is None or offline:
            hint = "LT_OFFLINE is set, so nothing is downloaded: " if folder else ""
            raise EngineError(hint + places.missing(wanted, cache), retryable=False)
        fetching = Fetching(wanted, folder, on_progress)
        await fetching.run(source or HUB)
        found = wanted.family, folder
    family, folder = found
    return ModelSpec(family, places.called(name), str(folder), device, compute_type)
