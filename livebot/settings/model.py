"""All settings and what follows from them.

The description of a key says what is allowed: it is shown as the cure when a value does
not work, and as the key's documentation in `deploy/README.md`.
"""

from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import PrivateAttr, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from livebot.errors import ConfigError
from livebot.settings import urls
from livebot.settings.appapi import HARP_SOCKET, AppFields, Bind
from livebot.settings.backends import Backend
from livebot.settings.callers import Callers
from livebot.settings.engines import EngineSettings
from livebot.settings.file import file_values
from livebot.settings.keys import ApiKey
from livebot.settings.quota import Quota

DEFAULT_BACKEND = "default"
"""The name of the only backend where LT_BACKENDS is not set."""


class Settings(AppFields, EngineSettings, BaseSettings):
    """All settings, each checked; `load_settings()` builds it and explains what is wrong."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    _shared_keys: tuple[ApiKey, ...] = PrivateAttr(default=())
    """Of one backend among several: the keys of the top level, for their quotas."""

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

    @model_validator(mode="before")
    @classmethod
    def _state_of_app(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take an app's lasting folder where no other is set."""
        if given.get("APP_ID") and given.get("APP_PERSISTENT_STORAGE"):
            return {"LT_STATE_DIR": given["APP_PERSISTENT_STORAGE"], **given}
        return given

    @property
    def bind(self) -> Bind:
        """Where the HTTP API listens."""
        if not self.is_app:
            return Bind(self.host, self.port)
        port = self.port if self.app_port is None else self.app_port
        return Bind(self.app_host or self.host, port, HARP_SOCKET if self.harp_key else None)

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
            # AppAPI may name it with the script, which signaling servers do not know it by.
            return self.nextcloud_url.rstrip("/").removesuffix("/index.php") + "/"
        return urls.backend_of_hpb(self.hpb_url or "")

    @property
    def allowed_turn_hosts(self) -> frozenset[str]:
        """The hosts, in small letters, that a caller's TURN servers may be on."""
        known = (urlsplit(url or "").hostname for url in (self.hpb_url, self.nextcloud_url))
        servers = (host for server in self.ice_servers for host in server.hosts)
        return frozenset({*self.turn_hosts, *servers, *filter(None, known)})

    def quota(self, owner: str) -> Quota:
        """Return the share of a caller by its key's name; of others, only requests are limited."""
        key = next((key for key in self._known_keys() if key.name == owner), None)
        if key is None:
            return Quota(self.requests_per_minute)
        given = (key.requests_per_minute, key.max_rooms, key.max_speakers)
        usual = (self.requests_per_minute, self.key_rooms, self.key_speakers)
        return Quota(*(b if a is None else a for a, b in zip(given, usual, strict=True)))

    def _known_keys(self) -> Iterator[ApiKey]:
        yield from (*self.api_keys, *self._shared_keys)
        for backend in self.backends:
            yield from backend.own.get("api_keys", ())

    def per_backend(self) -> dict[str, Self]:
        """Return each backend's name and its complete settings.

        Their keys are those of this backend alone where there are several.
        """
        if not self.backends:
            return {DEFAULT_BACKEND: self}
        return {backend.name: self._of(backend) for backend in self.backends}

    def _of(self, backend: Backend) -> Self:
        found = self.model_copy(update={"api_keys": (), **backend.own, "backends": ()})
        found._shared_keys = self.api_keys  # noqa: SLF001  # our own class
        return found

    def _callers(self) -> Callers:
        found = self.per_backend()
        secrets = {name: one.app_secret.get_secret_value() for name, one in found.items()}
        return Callers(
            shared=self.api_keys,
            keys={name: one.api_keys if self.backends else () for name, one in found.items()},
            secrets=secrets if self.is_app else {},
            anonymous=self.allow_anonymous,
            local=self.bind.is_local,
        )

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
        for name, backend in self.per_backend().items() if self.calls == "on" else ():
            where = f"LT_BACKENDS: backend {name}: " if self.backends else ""
            for attribute in backend.missing():
                field = Settings.model_fields[attribute]
                variable = str(field.validation_alias)
                yield variable, f"{where}{variable} is not set. {field.description}"
        yield from self._callers().problems()

    def missing(self) -> Iterator[str]:
        """Yield the attributes that one backend needs and that are not set."""
        if self.is_app:
            needed = ["nextcloud_url", "internal_secret", "app_secret"]
        else:
            needed = ["hpb_url", "internal_secret"]
        for name in needed:
            if not str(getattr(self, name) or ""):
                yield name
        yield from self.missing_for_engines()
