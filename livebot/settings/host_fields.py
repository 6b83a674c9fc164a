"""Settings of the engine host, the daemon and whatever else has models recognise recordings.

In the YAML file each may also be written without `LT_` and in small letters, as `file.py` says.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ByteSize, Field

from livebot.settings.values import Hosts, Lowered, Memory, Mirror, Paths

ComputeType = Literal[
    "auto",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]
"""CTranslate2's names."""


class HostFields(BaseModel):
    """Which models recognise speech, where they come from, and what they may use."""

    model: str = Field(
        default="",
        validation_alias="LT_MODEL",
        pattern=r"^[^\x00-\x1f\x7f]{0,1000}$",
        description="The model that recognises speech, by name, like moonshine-tiny-en, base.en or"
        " large-v3-turbo, or a folder with one; without it, the engine's own.",
    )
    model_cache: Path | None = Field(
        default=None,
        validation_alias="LT_MODEL_CACHE",
        description="The folder where downloaded models are kept; without it, livebot in the"
        " user's cache folder.",
    )
    model_source: Mirror = Field(
        default="",
        validation_alias="LT_MODEL_SOURCE",
        description="The mirror that models are downloaded from, like https://models.example.com;"
        " without it, the hub where their makers publish them.",
    )
    offline: bool = Field(
        default=False,
        validation_alias="LT_OFFLINE",
        description="true where nothing is to be downloaded: a model that is not on this machine"
        " is an error then.",
    )
    device: Annotated[Literal["auto", "cpu", "cuda"], Lowered] = Field(
        default="auto",
        validation_alias="LT_DEVICE",
        description="What models run on: cpu, cuda, or auto, which is cuda where there is one.",
    )
    compute_type: Annotated[ComputeType, Lowered] = Field(
        default="auto",
        validation_alias="LT_COMPUTE_TYPE",
        description="What Whisper models compute with: int8, int8_float32, int8_float16,"
        " int8_bfloat16, int16, float16, bfloat16, float32, or auto, which suits the device.",
    )
    startup_timeout: float = Field(
        default=30,
        validation_alias="LT_STARTUP_TIMEOUT",
        ge=1,
        le=3600,
        description="How long a worker may take to load its model, in seconds, 1 to 3600;"
        " downloads do not count.",
    )
    process_timeout: float = Field(
        default=300,
        validation_alias="LT_PROCESS_TIMEOUT",
        ge=1,
        le=86_400,
        description="How long a recording may go without progress before it is given up, in"
        " seconds, 1 to 86400.",
    )
    max_restarts: int = Field(
        default=5,
        validation_alias="LT_MAX_RESTARTS",
        ge=0,
        le=1000,
        description="How often in a row a worker that ends by itself is started again, 0 to 1000.",
    )
    restart_delay: float = Field(
        default=0.2,
        validation_alias="LT_RESTART_DELAY",
        ge=0,
        le=60,
        description="How long to wait before a worker is started again, in seconds, 0 to 60;"
        " doubled each time.",
    )
    memory_limit: Memory = Field(
        default=ByteSize(0),
        validation_alias="LT_MEMORY_LIMIT",
        description="Memory that each worker may use, like 1GiB or 1500MB, 128MiB or more; 0 is"
        " what suits its model.",
    )
    cpu_limit: int = Field(
        default=0,
        validation_alias="LT_CPU_LIMIT",
        ge=0,
        le=1024,
        description="Cores that each worker may use, up to 1024; 0 is all of them.",
    )
    queue_limit: int = Field(
        default=1000,
        validation_alias="LT_QUEUE_LIMIT",
        ge=1,
        le=1_000_000,
        description="Recordings that may wait for a worker, 1 to 1000000; beyond, new ones are"
        " refused.",
    )
    model_idle: float = Field(
        default=600,
        validation_alias="LT_MODEL_IDLE_SECONDS",
        ge=0,
        le=31_536_000,
        description="How long a model that was asked for besides LT_MODEL stays in memory unused,"
        " in seconds, up to 31536000; 0 is for ever.",
    )
    temp_dir: Path | None = Field(
        default=None,
        validation_alias="LT_TEMP_DIR",
        description="The folder for temporary files; without it, the system's.",
    )
    temp_cleanup: bool = Field(
        default=True,
        validation_alias="LT_TEMP_CLEANUP",
        description="Whether temporary files are removed, those left by a crash included: true or"
        " false.",
    )
    temp_retention: float = Field(
        default=3600,
        validation_alias="LT_TEMP_RETENTION",
        ge=0,
        le=31_536_000,
        description="How old temporary files left by a crash must be to be removed, in seconds, up"
        " to 31536000.",
    )
    allowed_paths: Paths = Field(
        default=(),
        validation_alias="LT_ALLOWED_PATHS",
        description="Folders below which those who ask the daemon may name files: absolute paths"
        " like /srv/recordings,/home/me/talks, 100 at most. Without it, none.",
    )
    fetch_hosts: Hosts = Field(
        default=(),
        validation_alias="LT_FETCH_HOSTS",
        description="Hosts with private addresses that recordings may be fetched from: names like"
        " localhost,files.example.com. Without it, none; public ones need not be named.",
    )
    fetch_max_mb: int = Field(
        default=1024,
        validation_alias="LT_FETCH_MAX_MB",
        ge=1,
        le=1_000_000,
        description="The largest recording that is fetched, in MB, 1 to 1000000.",
    )
    fetch_timeout: float = Field(
        default=600,
        validation_alias="LT_FETCH_TIMEOUT",
        ge=1,
        le=86_400,
        description="How long fetching a recording may take, in seconds, 1 to 86400.",
    )
