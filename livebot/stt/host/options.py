"""What an engine host does, and within which limits."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from livebot.errors import ConfigError
from livebot.stt.host.order import DEFAULT_MEMORY, Order
from livebot.stt.host.pool import Supervision
from livebot.stt.host.process import BUSY_S
from livebot.stt.languages import AUTO
from livebot.stt.model import ModelSpec

MOST_WORKERS = 4
"""By default: each carries several speakers, and takes memory for a model of its own."""

_MEMORY_PER_MODEL_BYTE = 4
"""A model's files are unpacked, and what it computes with is of their size."""

_SPARE = DEFAULT_MEMORY // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """See the settings of the same meaning.

    Attributes:
        model: Which is always loaded; a name of `livebot.stt.models`.
        language: What is spoken where nobody says; `auto` where the model is to find out.
        workers: Processes per model.
        model_dir: A folder with models.
        cache: Where downloaded models are; None is the platform's folder.
        source: Where they are downloaded from; empty is the hub.
        offline: Whether nothing may be downloaded.
        device: `auto`, `cpu` or `cuda`.
        compute_type: CTranslate2's, or `auto`.
        startup_s: How long a worker may take to load its model.
        process_s: How long a file may go without progress.
        max_restarts: Of workers, in a row; from then on they are restarted rarely.
        restart_delay_s: Before the first restart; doubled each time.
        memory_limit: Bytes per worker; 0 is what suits the model.
        cpu_limit: Cores per worker; 0 is all.
        queue: Files that may wait.
        idle_s: After so long without use other models are unloaded; 0 is never.
    """

    model: str = "moonshine-tiny-en"
    language: str = AUTO
    workers: int = 1
    model_dir: Path | None = None
    cache: Path | None = None
    source: str = ""
    offline: bool = False
    device: str = "auto"
    compute_type: str = "auto"
    startup_s: float = 30.0
    process_s: float = 300.0
    max_restarts: int = 5
    restart_delay_s: float = 0.2
    memory_limit: int = 0
    cpu_limit: int = 0
    queue: int = 1000
    idle_s: float = 600.0

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "HostOptions":
        """Make options of text, by the names above; without `workers`, there is one per core.

        Raises:
            ConfigError: One does not work.
        """
        given = {"workers": str(min(MOST_WORKERS, os.cpu_count() or 1))} | dict(options)
        try:
            found = msgspec.convert(given, cls, strict=False, dec_hook=_path)
        except msgspec.ValidationError as exc:
            raise ConfigError(f"an option of the engine does not work: {exc}") from exc
        if found.workers < 1:
            raise ConfigError("the option workers of an engine must be a number from 1 on")
        return found

    def with_workers(self, workers: int) -> "HostOptions":
        """Return the same with another number of workers."""
        return replace(self, workers=workers)

    def supervision(self) -> Supervision:
        """Return how workers are kept."""
        return Supervision(
            ready_s=self.startup_s,
            max_restarts=self.max_restarts,
            restart_delay_s=self.restart_delay_s,
            cores=self.cpu_limit,
            busy_s=max(BUSY_S, self.process_s),
        )

    def order(self, spec: ModelSpec) -> Order:
        """Return what each worker of a model is started with. Looks at its files."""
        cores = self.cpu_limit or len(os.sched_getaffinity(0)) // self.workers
        spec = msgspec.structs.replace(spec, threads=max(1, cores))
        suits = max(DEFAULT_MEMORY, _SPARE + _MEMORY_PER_MODEL_BYTE * _size(spec.folder))
        return Order(spec, memory_limit=self.memory_limit or suits)


def _path(kind: type, value: Any) -> Any:
    """Make paths of text, which msgspec leaves to us."""
    if kind is Path:
        return Path(value).expanduser()
    raise NotImplementedError


def _size(folder: str) -> int:
    return sum(file.stat().st_size for file in Path(folder).iterdir()) if folder else 0
