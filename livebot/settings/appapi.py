"""What AppAPI gives to an app of Nextcloud, and where such an app listens."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from livebot.settings.urls import is_loopback
from livebot.settings.values import Secret

HARP_SOCKET = Path("/tmp/exapp.sock")  # noqa: S108  # HaRP's contract: its tunnel ends there
"""Where HaRP looks for the app."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Where the HTTP API listens.

    Attributes:
        host: The address.
        port: The port; 0 is any free one.
        socket: A unix socket instead of both.
    """

    host: str
    port: int
    socket: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.socket is not None or is_loopback(self.host)


class AppFields(BaseModel):
    """The environment of an app; `APP_SECRET` may differ per backend and is with those."""

    app_id: str = Field(
        default="",
        validation_alias="APP_ID",
        pattern=r"^[a-z][a-z0-9_-]{0,63}$|^$",
        description="The id of this app, given by AppAPI; live_transcription for Talk. Without"
        " it, the bot is no app of Nextcloud.",
    )
    app_version: str = Field(
        default="",
        validation_alias="APP_VERSION",
        pattern=r"^[!-~]{0,64}$",
        description="The version of this app, given by AppAPI: up to 64 characters.",
    )
    aa_version: str = Field(
        default="",
        validation_alias="AA_VERSION",
        pattern=r"^[!-~]{0,64}$",
        description="The version of AppAPI, given by it: up to 64 characters.",
    )
    app_host: str = Field(
        default="",
        validation_alias="APP_HOST",
        description="As an app, the address to listen on, given by AppAPI; wins over HOST.",
    )
    app_port: int | None = Field(
        default=None,
        validation_alias="APP_PORT",
        ge=0,
        le=65535,
        description="As an app, the port to listen on, given by AppAPI, 0 to 65535; wins over"
        " PORT.",
    )
    app_storage: Path | None = Field(
        default=None,
        validation_alias="APP_PERSISTENT_STORAGE",
        description="As an app, the folder that lasts, given by AppAPI.",
    )
    harp_key: Secret | None = Field(
        default=None,
        validation_alias="HP_SHARED_KEY",
        description="As an app behind HaRP, its key, given by AppAPI: the HTTP API then listens on"
        " the unix socket /tmp/exapp.sock.",
    )

    @property
    def is_app(self) -> bool:
        """Whether Nextcloud runs this as its app."""
        return bool(self.app_id)
