"""All settings and what follows from them.

The description of a key says what is allowed: it is shown as the cure when a value does
not work, and as the key's documentation in `deploy/README.md`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from livebot.errors import ConfigError
from livebot.settings import urls
from livebot.settings.file import file_values
from livebot.settings.values import (
    AnyUrl,
    ApiKeys,
    Engines,
    IceServers,
    Lowered,
    SocketUrl,
    WebUrl,
)


class Settings(BaseSettings):
    """All settings, each checked; `load_settings()` builds it and explains what is wrong."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    hpb_url: AnyUrl | None = Field(
        default=None,
        validation_alias="LT_HPB_URL",
        description="The signaling server (High-performance backend), like wss://hpb.example.com.",
    )
    internal_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="LT_INTERNAL_SECRET",
        description="`internalsecret` of the section `[clients]` in the signaling server's"
        " configuration; not the shared secret of Talk's settings.",
    )
    nextcloud_url: WebUrl | None = Field(
        default=None,
        validation_alias="NEXTCLOUD_URL",
        description="The Nextcloud that the signaling server serves, like"
        " https://cloud.example.com. Without it, the host of LT_HPB_URL is taken.",
    )
    engine: Engines = Field(
        default="auto",
        validation_alias="LT_ENGINE",
        pattern=r"^[a-z][a-z0-9_-]*( *, *[a-z][a-z0-9_-]*)*$",
        description="The speech-to-text engine: kyutai, moshi, local, or auto, which is kyutai"
        " where STT_STREAM_URL or MODAL_WORKSPACE is set and local elsewhere. Or several in order"
        " of preference, like kyutai,local: the next one takes over while one is down.",
    )
    stt_session_s: float = Field(
        default=1800,
        validation_alias="LT_STT_SESSION_SECONDS",
        ge=0,
        le=86_400,
        description="How long the engine kyutai's endpoint lets a stream live, in seconds; streams"
        " are changed before. 30 minutes is Modal's; 0 is for ever.",
    )
    stt_stream_url: SocketUrl | None = Field(
        default=None,
        validation_alias="STT_STREAM_URL",
        description="The WebSocket of a speech-to-text service, like"
        " wss://stt.example.com/v1/stream; wins over Modal, except where LT_ENGINE names kyutai"
        " and moshi: then it is moshi's.",
    )
    modal_workspace: str | None = Field(
        default=None,
        validation_alias="MODAL_WORKSPACE",
        pattern=r"^[A-Za-z0-9-]+$",
        description="The Modal workspace that runs the Kyutai service (letters, digits, hyphens).",
    )
    modal_key: SecretStr | None = Field(
        default=None,
        validation_alias="MODAL_KEY",
        description="Modal's proxy token id; also sent to STT_STREAM_URL, and asked for by"
        " `livebot stt-server`, where MODAL_WORKSPACE is not set.",
    )
    modal_secret: SecretStr | None = Field(
        default=None,
        validation_alias="MODAL_SECRET",
        description="Modal's proxy token secret; goes with MODAL_KEY.",
    )
    moshi_key: SecretStr = Field(
        default=SecretStr("public_token"),
        validation_alias="LT_MOSHI_KEY",
        description="The key that moshi-server asks for.",
    )
    model_dir: Path | None = Field(
        default=None,
        validation_alias="LT_MODEL_DIR",
        description="Where the local engine finds its model; without it, in its own package.",
    )
    engine_workers: int = Field(
        default=0,
        validation_alias="LT_ENGINE_WORKERS",
        ge=0,
        le=256,
        description="Worker processes of the local engine, 0 to 256; 0 is one per core.",
    )
    language: str = Field(
        default="en",
        validation_alias="LT_DEFAULT_LANGUAGE",
        pattern=r"^[a-z]{2,3}$",
        description="The language of a call whose request names none (ISO 639, like en).",
    )
    chunk_ms: int = Field(
        default=200,
        validation_alias="LT_CHUNK_MS",
        ge=20,
        le=1000,
        multiple_of=20,
        description="Audio per message to the engine in milliseconds: 20 to 1000, a multiple"
        " of 20.",
    )
    caption_mode: Literal["append", "replace"] = Field(
        default="append",
        validation_alias="LT_CAPTION_MODE",
        description="append: each piece of text is sent once. replace: a caption grows until it"
        " is final, for clients that replace what they show.",
    )
    notices: bool = Field(
        default=True,
        validation_alias="LT_NOTICES",
        description="Whether readers are told in the call where captions are missing, like"
        " [captions interrupted 12 s]: true or false.",
    )
    replay_s: float = Field(
        default=30,
        validation_alias="LT_REPLAY_SECONDS",
        ge=1,
        le=300,
        description="Audio kept per speaker after the engine took it, in seconds, 1 to 300: sent"
        " again where a stream is lost before its words came.",
    )
    backlog_s: float = Field(
        default=120,
        validation_alias="LT_BACKLOG_SECONDS",
        ge=1,
        le=600,
        description="Audio kept per speaker while the engine cannot take it, in seconds, 1 to"
        " 600; beyond, the oldest is dropped.",
    )
    max_rooms: int = Field(
        default=50,
        validation_alias="LT_MAX_ROOMS",
        ge=1,
        description="Calls at the same time, 1 or more.",
    )
    max_speakers: int = Field(
        default=200,
        validation_alias="LT_MAX_SPEAKERS",
        ge=1,
        description="Speakers of all calls at the same time, 1 or more.",
    )
    max_lag_ms: int = Field(
        default=100,
        validation_alias="LT_MAX_LAG_MS",
        ge=10,
        le=10_000,
        description="How late the event loop may be in milliseconds, 10 to 10000; beyond, new"
        " calls and new speakers are refused.",
    )
    max_memory_mb: int = Field(
        default=0,
        validation_alias="LT_MAX_MEMORY_MB",
        ge=0,
        description="Memory of the bot and its processes in MB; beyond, new calls and new"
        " speakers are refused. 0 is 85 % of the container's limit, or none where it has none.",
    )
    state_dir: Path | None = Field(
        default=None,
        validation_alias="LT_STATE_DIR",
        description="A folder of this process alone, where the calls that are captioned are"
        " noted, to be taken up again after a restart; without it, they are not.",
    )
    empty_room_s: float = Field(
        default=60,
        validation_alias="LT_EMPTY_ROOM_SECONDS",
        ge=1,
        le=3600,
        description="How long the bot stays in a call without people, in seconds, 1 to 3600.",
    )
    ice_policy: Literal["all", "relay"] = Field(
        default="all",
        validation_alias="LT_ICE_POLICY",
        description="all, or relay where audio may come through a TURN server only.",
    )
    ice_servers: IceServers = Field(
        default=(),
        validation_alias="LT_ICE_SERVERS",
        description="STUN and TURN servers where the request names none: JSON like"
        ' [{"urls": ["turn:turn.example.com:3478?transport=udp"], "username": "u",'
        ' "credential": "c"}].',
    )
    host: str = Field(
        default="127.0.0.1",
        validation_alias="HOST",
        description="The address that the HTTP API listens on.",
    )
    port: int = Field(
        default=8080,
        validation_alias="PORT",
        ge=0,
        le=65535,
        description="The port of the HTTP API, 0 to 65535; 0 is any free one.",
    )
    api_keys: ApiKeys = Field(
        default=(),
        validation_alias="LT_API_KEYS",
        description="Bearer keys of the HTTP API as name:key,name2:key2, each of 16 characters or"
        " more (openssl rand -hex 32).",
    )
    allow_anonymous: bool = Field(
        default=False,
        validation_alias="LT_ALLOW_ANONYMOUS",
        description="true where the HTTP API may be used without a key from other machines.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lowered] = Field(
        default="info",
        validation_alias="LOG_LEVEL",
        description="debug, info, warning or error.",
    )
    log_format: Literal["json", "console"] = Field(
        default="json",
        validation_alias="LT_LOG_FORMAT",
        description="json: one object per line. console: for people.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # not offered
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Say who wins: the program itself, the environment, `.env`, the YAML file."""
        file = InitSettingsSource(settings_cls, file_values())
        return init_settings, env_settings, dotenv_settings, file

    @property
    def engine_names(self) -> tuple[str, ...]:
        """The engines in order of preference, with `auto` decided."""
        if self.engine != "auto":
            return tuple(self.engine.split(","))
        return ("kyutai",) if self.stt_stream_url or self.modal_workspace else ("local",)

    @property
    def engine_name(self) -> str:
        """The engine that is preferred."""
        return self.engine_names[0]

    @property
    def hpb_socket_url(self) -> str:
        """The signaling server's WebSocket: `wss://host/spreed`, any prefix kept."""
        return urls.hpb_socket(self.hpb_url or "")

    @property
    def backend_derived(self) -> bool:
        """Whether `backend_url` is a guess."""
        return self.nextcloud_url is None

    @property
    def backend_url(self) -> str:
        """The base URL of the Nextcloud, with a slash at the end.

        Where it is not set it is taken from the signaling server's URL, which is right where
        both live on one host, as in Nextcloud AIO.
        """
        if self.nextcloud_url is not None:
            return self.nextcloud_url.rstrip("/") + "/"
        return urls.backend_of_hpb(self.hpb_url or "")

    def engine_options(self, name: str) -> Mapping[str, str]:
        """Return what the engine `name` is to be built with."""
        match name:
            case "kyutai":
                found = self._kyutai_options()
            case "moshi":
                found = {"url": self.stt_stream_url or "", "key": _revealed(self.moshi_key)}
            case "local":
                found = {"model_dir": str(self.model_dir or ""), "workers": self._workers}
            case _:
                found = {}
        return {key: value for key, value in found.items() if value}

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

    @property
    def _workers(self) -> str:
        return str(self.engine_workers) if self.engine_workers else ""

    def require_call(self) -> None:
        """Check that a service which joins calls can be run with these settings.

        Raises:
            ConfigError: It cannot; all that is missing is named.
        """
        problems = [sentence for _, sentence in self.call_problems()]
        if problems:
            raise ConfigError(*problems)

    def call_problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is missing for `require_call`: the variable and a sentence with the cure."""
        if self.hpb_url is None:
            yield _missing("hpb_url")
        if not self.internal_secret.get_secret_value():
            yield _missing("internal_secret")
        if "kyutai" in self.engine_names and self._is_kyutai_at_modal:
            for name in ("modal_workspace", "modal_key", "modal_secret"):
                if not getattr(self, name):
                    yield _missing(name)
        if "moshi" in self.engine_names and self.stt_stream_url is None:
            yield _missing("stt_stream_url")
        if not urls.is_loopback(self.host) and not self.api_keys and not self.allow_anonymous:
            yield "LT_API_KEYS", _UNGUARDED


_UNGUARDED = (
    "LT_API_KEYS is not set while HOST lets other machines in. Set it to name:key"
    " (openssl rand -hex 32), or set LT_ALLOW_ANONYMOUS=true."
)


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _missing(name: str) -> tuple[str, str]:
    field = Settings.model_fields[name]
    variable = str(field.validation_alias)
    return variable, f"{variable} is not set. {field.description}"
