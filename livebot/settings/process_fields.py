"""Settings that are the process's, whatever backends it serves."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from livebot.settings.backends import Backends
from livebot.settings.values import Lowered, Origins


class ProcessFields(BaseModel):
    """What is the same for all backends."""

    calls: Literal["on", "off"] = Field(
        default="on",
        validation_alias="LT_CALLS",
        description="off: there are no calls, so no signaling server is needed; files and live"
        " sessions only. on: both.",
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
    chunk_ms: int = Field(
        default=200,
        validation_alias="LT_CHUNK_MS",
        ge=20,
        le=1000,
        multiple_of=20,
        description="Audio per message to the engine in milliseconds: 20 to 1000, a multiple"
        " of 20.",
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
        " noted, to be taken up again after a restart; without it, they are not. As an app of"
        " Nextcloud, APP_PERSISTENT_STORAGE is taken.",
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
    history_s: float = Field(
        default=60,
        validation_alias="LT_HISTORY_SECONDS",
        ge=0,
        le=600,
        description="How far back the captions go that a late reader is given at once, in seconds,"
        " 0 to 600.",
    )
    backends: Backends = Field(
        default=(),
        validation_alias="LT_BACKENDS",
        description="Several Nextclouds in one process, as JSON: a list of objects with a `name`"
        " (small letters, digits, hyphens, 32 at most) and the variables that differ.",
    )
    requests_per_minute: int = Field(
        default=600,
        validation_alias="LT_KEY_REQUESTS_PER_MINUTE",
        ge=0,
        le=1_000_000,
        description="Requests per minute of each caller, up to 1000000; 0 is any number.",
    )
    key_rooms: int = Field(
        default=0,
        validation_alias="LT_KEY_MAX_ROOMS",
        ge=0,
        description="Calls at the same time that one key may have begun, in each backend; 0 is any"
        " number.",
    )
    key_speakers: int = Field(
        default=0,
        validation_alias="LT_KEY_MAX_SPEAKERS",
        ge=0,
        description="Speakers at the same time in the calls that one key has begun, in each"
        " backend; 0 is any number.",
    )
    caller_turn: Literal["known", "refuse"] = Field(
        default="known",
        validation_alias="LT_CALLER_TURN",
        description="known: callers' `turnServers` may name known hosts only (LT_TURN_HOSTS)."
        " refuse: callers may bring none.",
    )
    open_metrics: bool = Field(
        default=False,
        validation_alias="LT_OPEN_METRICS",
        description="true where GET /metrics needs no key, from other machines either.",
    )
    cors_origins: Origins = Field(
        default=(),
        validation_alias="LT_CORS_ORIGINS",
        description="Web pages that may use the HTTP API from a browser: origins like"
        " https://cloud.example.com,https://ops.example.com:8443. Without it, none.",
    )
