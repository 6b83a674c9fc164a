"""Settings of what is kept, of jobs, and of live sessions."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from livebot.settings.values import DatabaseUrl, Hosts, Secret


class StoreFields(BaseModel):
    """What is kept, for how long, and how much at once."""

    data_dir: Path | None = Field(
        default=None,
        validation_alias="LT_DATA_DIR",
        description="The folder of the database, of uploads and of audio; without it,"
        " LT_STATE_DIR, or livebot in the user's folder for data. Where it cannot be written and"
        " was not named, there are no jobs and nothing is kept.",
    )
    database_url: DatabaseUrl = Field(
        default=SecretStr(""),
        validation_alias="LT_DATABASE_URL",
        description="The database, like postgresql://user:password@host/livebot or"
        " sqlite:////srv/livebot.db; without it, SQLite in LT_DATA_DIR.",
    )
    retention_days: float = Field(
        default=30,
        validation_alias="LT_RETENTION_DAYS",
        ge=0,
        le=36_500,
        description="How long transcripts, their audio and jobs are kept, in days, up to 36500; 0"
        " is until they are erased.",
    )
    upload_max_mb: int = Field(
        default=2048,
        validation_alias="LT_UPLOAD_MAX_MB",
        ge=1,
        le=1_000_000,
        description="The largest file that is taken for a job, in MB, 1 to 1000000.",
    )
    upload_max_hours: float = Field(
        default=12,
        validation_alias="LT_UPLOAD_MAX_HOURS",
        gt=0,
        le=1000,
        description="The longest recording that is taken for a job, in hours, up to 1000.",
    )
    jobs_at_once: int = Field(
        default=2,
        validation_alias="LT_JOBS_AT_ONCE",
        ge=0,
        le=256,
        description="Jobs that this process works on at the same time, up to 256; 0 leaves them to"
        " other processes with the same database.",
    )
    webhook_secret: Secret = Field(
        default=SecretStr(""),
        validation_alias="LT_WEBHOOK_SECRET",
        description="What webhooks of jobs are signed with; without it, jobs may have none.",
    )
    webhook_hosts: Hosts = Field(
        default=(),
        validation_alias="LT_WEBHOOK_HOSTS",
        description="Hosts with private addresses that webhooks may go to: names like"
        " localhost,ops.example.com. Without it, none; public ones need not be named.",
    )
    max_live: int = Field(
        default=100,
        validation_alias="LT_MAX_LIVE",
        ge=0,
        le=10_000,
        description="Live sessions at the same time, up to 10000; 0 switches them off.",
    )
    key_live: int = Field(
        default=0,
        validation_alias="LT_KEY_MAX_LIVE",
        ge=0,
        description="Live sessions at the same time of one key; 0 is any number.",
    )
    live_idle_s: float = Field(
        default=60,
        validation_alias="LT_LIVE_IDLE_SECONDS",
        ge=1,
        le=3600,
        description="After how long without audio or a sign of life a live session's client is"
        " taken for gone, in seconds, 1 to 3600.",
    )
    live_resume_s: float = Field(
        default=120,
        validation_alias="LT_LIVE_RESUME_SECONDS",
        ge=0,
        le=86_400,
        description="For how long a live session waits for a client that is gone, and what it said"
        " is kept for it, in seconds, up to 86400.",
    )
    page: bool = Field(
        default=True,
        validation_alias="LT_PAGE",
        description="Whether there is a page at /: true or false.",
    )
