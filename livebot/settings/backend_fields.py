"""Settings that may differ from one Nextcloud (backend) to the next."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from livebot.settings.keys import ApiKeys
from livebot.settings.values import (
    AnyUrl,
    Engines,
    Hosts,
    IceServers,
    Secret,
    SocketUrl,
    WebUrl,
)


class BackendFields(BaseModel):
    """What LT_BACKENDS may say of one backend; what it does not say is as at top level."""

    hpb_url: AnyUrl | None = Field(
        default=None,
        validation_alias="LT_HPB_URL",
        description="The signaling server (High-performance backend), like wss://hpb.example.com."
        " As an app of Nextcloud it may be left out: Talk's settings have it. Without calls"
        " (LT_CALLS) there is none.",
    )
    internal_secret: Secret = Field(
        default=SecretStr(""),
        validation_alias="LT_INTERNAL_SECRET",
        description="`internalsecret` of the section `[clients]` in the signaling server's"
        " configuration; not the shared secret of Talk's settings.",
    )
    nextcloud_url: WebUrl | None = Field(
        default=None,
        validation_alias="NEXTCLOUD_URL",
        description="The Nextcloud that the signaling server serves, like"
        " https://cloud.example.com. Without it, the host of LT_HPB_URL is taken; as an app of"
        " Nextcloud it must be set.",
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
    modal_key: Secret | None = Field(
        default=None,
        validation_alias="MODAL_KEY",
        description="Modal's proxy token id; also sent to STT_STREAM_URL, and asked for by"
        " `livebot stt-server`, where MODAL_WORKSPACE is not set.",
    )
    modal_secret: Secret | None = Field(
        default=None,
        validation_alias="MODAL_SECRET",
        description="Modal's proxy token secret; goes with MODAL_KEY.",
    )
    moshi_key: Secret = Field(
        default=SecretStr("public_token"),
        validation_alias="LT_MOSHI_KEY",
        description="The key that moshi-server asks for.",
    )
    language: str = Field(
        default="en",
        validation_alias="LT_DEFAULT_LANGUAGE",
        pattern=r"^(auto|[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})$",
        description="The language of a call whose request names none: a code like en or pt-BR, or"
        " auto where the engine hears which it is.",
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
    ice_servers: IceServers = Field(
        default=(),
        validation_alias="LT_ICE_SERVERS",
        description="STUN and TURN servers where the request names none: JSON like"
        ' [{"urls": ["turn:turn.example.com:3478?transport=udp"], "username": "u",'
        ' "credential": "c"}].',
    )
    max_rooms: int = Field(
        default=50,
        validation_alias="LT_MAX_ROOMS",
        ge=1,
        description="Calls at the same time, 1 or more: of all backends together, and a backend's"
        " own in that one.",
    )
    max_speakers: int = Field(
        default=200,
        validation_alias="LT_MAX_SPEAKERS",
        ge=1,
        description="Speakers of all calls at the same time, 1 or more: of all backends together,"
        " and a backend's own in that one.",
    )
    api_keys: ApiKeys = Field(
        default=(),
        validation_alias="LT_API_KEYS",
        description="Bearer keys of the HTTP API as name:key,name2:key2, each of 16 characters or"
        " more (openssl rand -hex 32). Or JSON, where keys may have quotas of their own:"
        ' [{"name": "ops", "key": "...", "requests_per_minute": 60, "max_rooms": 5,'
        ' "max_speakers": 50}].',
    )
    app_secret: Secret = Field(
        default=SecretStr(""),
        validation_alias="APP_SECRET",
        description="The secret that this app and its Nextcloud show each other; AppAPI gives it.",
    )
    turn_hosts: Hosts = Field(
        default=(),
        validation_alias="LT_TURN_HOSTS",
        description="Hosts that callers' `turnServers` may name besides those of LT_ICE_SERVERS,"
        " LT_HPB_URL and NEXTCLOUD_URL: names like turn.example.com,turn2.example.com.",
    )
    translation: Literal["auto", "off"] = Field(
        default="auto",
        validation_alias="LT_TRANSLATION",
        description="auto: captions are translated for who asks, where Nextcloud can. off: never.",
    )
    transcripts: Literal["off", "on"] = Field(
        default="off",
        validation_alias="LT_TRANSCRIPTS",
        description="on: transcripts of all calls are kept. off: of those only whose request says"
        " so.",
    )
    audio: Literal["off", "consent"] = Field(
        default="off",
        validation_alias="LT_AUDIO",
        description="consent: the audio of a call is kept with its transcript where the request"
        " says that everybody agreed. off: never.",
    )
