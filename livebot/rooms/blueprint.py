"""What a room is built with: the backend's settings and what was asked for, put together."""

from dataclasses import dataclass, field

from livebot.hearing.recognition import RecognitionOptions
from livebot.ids import RoomToken
from livebot.media.ice import IcePolicy
from livebot.rooms.keeping import decide
from livebot.rooms.publication import PublicationOptions
from livebot.rooms.readers import Readers
from livebot.rooms.reception import ReceptionOptions
from livebot.rooms.scribe import ScribeOptions
from livebot.rooms.speaker import SpeakerOptions
from livebot.rooms.talk import FixedTalkSettings, TalkSettings
from livebot.rooms.wanted import WantedRoom
from livebot.settings import DEFAULT_BACKEND, Settings
from livebot.translator import Translator


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """What a room needs to know.

    Attributes:
        token: The room.
        talk: Says where the signaling server is.
        secret: The signaling server's `internalsecret`.
        backend: The base URL of the room's Nextcloud.
        empty_s: How long we stay where nobody reads.
        publication: How readers are served.
        speakers: What all speakers share.
        scribe: What is told and kept of it.
    """

    token: RoomToken
    talk: TalkSettings
    secret: str = field(repr=False)
    backend: str
    empty_s: float
    publication: PublicationOptions
    speakers: SpeakerOptions
    scribe: ScribeOptions


def room_options(
    settings: Settings,
    wanted: WantedRoom,
    talk: TalkSettings | None = None,
    translator: Translator | None = None,
    backend: str = DEFAULT_BACKEND,
) -> RoomOptions:
    """Return the options of a room.

    Args:
        settings: Its backend's.
        wanted: What was asked for.
        talk: Where the peers of its call are; None for what the settings say.
        translator: Who translates; None for nobody.
        backend: Its name here.
    """
    talk = talk or FixedTalkSettings(settings.hpb_socket_url, settings.ice_servers)
    named = FixedTalkSettings("", wanted.ice_servers)
    return RoomOptions(
        token=wanted.token,
        talk=talk,
        secret=settings.internal_secret.get_secret_value(),
        backend=settings.backend_url,
        empty_s=settings.empty_room_s,
        publication=PublicationOptions(
            readers=Readers(
                settings.caption_mode, everybody=wanted.everybody, wishes=wanted.readers
            ),
            language=wanted.language,
            notices=settings.notices,
            history_s=settings.history_s,
            translator=translator,
        ),
        speakers=SpeakerOptions(
            reception=ReceptionOptions(
                chunk_ms=settings.chunk_ms,
                ice_servers=(named if wanted.ice_servers else talk).ice_servers,
                ice_policy=IcePolicy(settings.ice_policy),
            ),
            recognition=RecognitionOptions(language=wanted.language, replay_s=settings.replay_s),
            backlog_s=settings.backlog_s,
        ),
        scribe=ScribeOptions(
            backend=backend,
            owner=wanted.owner,
            language=wanted.language,
            model=settings.engine_names[0] if len(settings.engine_names) == 1 else "",
            kept=decide(settings, wanted.keeping),
        ),
    )
