"""Which engines the settings choose, and what each is to be built with."""

from collections.abc import Mapping

from pydantic import SecretStr

from livebot.settings.backend_fields import BackendFields
from livebot.settings.host_fields import HostFields
from livebot.settings.process_fields import ProcessFields
from livebot.settings.store_fields import StoreFields


class EngineSettings(HostFields, StoreFields, ProcessFields, BackendFields):
    """What follows for the engines."""

    @property
    def engine_names(self) -> tuple[str, ...]:
        """The engines in order of preference, with `auto` decided."""
        if self.engine != "auto":
            return tuple(self.engine.split(","))
        return ("kyutai",) if self.stt_stream_url or self.modal_workspace else ("local",)

    def engine_options(self, name: str) -> Mapping[str, str]:
        """Return what the engine `name` is to be built with."""
        match name:
            case "kyutai":
                found = self._kyutai_options()
            case "moshi":
                found = {"url": self.stt_stream_url or "", "key": _revealed(self.moshi_key)}
            case "local" | "whisper":
                return self.host_options()
            case _:
                found = {}
        return {key: value for key, value in found.items() if value}

    def host_options(self) -> Mapping[str, str]:
        """Return what the engine host is to be built with: attributes of its options, as text."""
        found = {
            "model": self.model,
            "model_dir": str(self.model_dir or ""),
            "cache": str(self.model_cache or ""),
            "source": self.model_source,
            "offline": str(self.offline).lower(),
            "device": self.device,
            "compute_type": self.compute_type,
            "workers": str(self.engine_workers or ""),
            "startup_s": f"{self.startup_timeout:g}",
            "process_s": f"{self.process_timeout:g}",
            "max_restarts": str(self.max_restarts),
            "restart_delay_s": f"{self.restart_delay:g}",
            "memory_limit": str(int(self.memory_limit)),
            "cpu_limit": str(self.cpu_limit),
            "queue": str(self.queue_limit),
            "idle_s": f"{self.model_idle:g}",
        }
        return {key: value for key, value in found.items() if value}

    def missing_for_engines(self) -> tuple[str, ...]:
        """Return the attributes that the engines need and that are not set."""
        needed: tuple[str, ...] = ()
        if "kyutai" in self.engine_names and self._is_kyutai_at_modal:
            needed = ("modal_workspace", "modal_key", "modal_secret")
        if "moshi" in self.engine_names:
            needed += ("stt_stream_url",)
        return tuple(name for name in needed if not getattr(self, name))

    def _kyutai_options(self) -> dict[str, str]:
        """Return the endpoint's; a key that is Modal's goes to nobody else."""
        found = {
            "url": self.stt_stream_url or "",
            "key": _revealed(self.modal_key),
            "secret": _revealed(self.modal_secret),
            "chunk_ms": str(self.chunk_ms),
            "session_s": f"{self.stt_session_s:g}",
        }
        if self._is_kyutai_at_modal:
            return found | {"url": "", "workspace": self.modal_workspace or ""}
        return found if self.modal_workspace is None else found | {"key": "", "secret": ""}

    @property
    def _is_kyutai_at_modal(self) -> bool:
        """Whether the engine kyutai has no address of its own: there is none, or moshi has it."""
        return self.stt_stream_url is None or {"kyutai", "moshi"} <= {*self.engine_names}


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
