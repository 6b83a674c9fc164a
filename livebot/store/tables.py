"""The tables, as the newest migration leaves them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

from livebot.store.folding import clean


class _Cleaned(TypeDecorator[str]):
    """Text from outside: whoever asks may send anything, and ask for anything."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return what the database takes."""
        return None if value is None else clean(value)


class Words(_Cleaned):
    """Of any length."""

    cache_ok = True


class Name(_Cleaned):
    """A short one, like an id."""

    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Return what it is in the database."""
        return dialect.type_descriptor(String(self.length))


METADATA = MetaData()
_KEY = BigInteger().with_variant(Integer(), "sqlite")
"""Of rows that have no name: SQLite counts only what it calls INTEGER."""


def _of_transcript() -> Column[str]:
    return Column(
        "transcript",
        Name(64),
        ForeignKey("transcripts.id", ondelete="CASCADE"),
        nullable=False,
    )


TRANSCRIPTS = Table(
    "transcripts",
    METADATA,
    Column("id", Name(64), primary_key=True),
    Column("kind", Name(16), nullable=False),
    Column("owner", Words, nullable=False),
    Column("backend", Words, nullable=False),
    Column("room", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("language", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("duration", Double, nullable=False),
    Column("audio", Boolean, nullable=False),
    Column("language_probability", Double),
    Column("folded", Words, nullable=False, server_default=""),
    Index("transcripts_by_start", "started_at", "id"),
    Index("transcripts_by_room", "room"),
)

UTTERANCES = Table(
    "utterances",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    _of_transcript(),
    Column("start", Double, nullable=False),
    Column("end", Double, nullable=False),
    Column("speaker", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("language", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("words", Words, nullable=False),
    Column("folded", Words, nullable=False, server_default=""),
    Index("utterances_by_transcript", "transcript", "start"),
    Index("utterances_by_person", "person"),
    sqlite_autoincrement=True,
)

GAPS = Table(
    "gaps",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    _of_transcript(),
    Column("cause", Words, nullable=False),
    Column("start", Double, nullable=False),
    Column("end", Double),
    Column("lost_s", Double, nullable=False),
    Column("speaker", Words, nullable=False),
    Column("person", Words, nullable=False),
    Index("gaps_by_transcript", "transcript", "start"),
    sqlite_autoincrement=True,
)

AUDIO = Table(
    "audio",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    _of_transcript(),
    Column("person", Words, nullable=False),
    Column("start", Double, nullable=False),
    Column("end", Double, nullable=False),
    Column("name", Words, nullable=False, unique=True),
    Index("audio_by_transcript", "transcript", "start"),
    sqlite_autoincrement=True,
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", Name(64), primary_key=True),
    Column("owner", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("path", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("options", Words, nullable=False),
    Column("state", Name(16), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("heard_s", Double, nullable=False),
    Column("total_s", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("ephemeral", Boolean, nullable=False),
    Column("worker", Name(128), nullable=False),
    Column("lease_until", Double),
    Index("jobs_by_state", "state", "created_at"),
)

SHARES = Table(
    "shares",
    METADATA,
    Column("id", Name(64), primary_key=True),
    Column("kind", Name(16), nullable=False),
    Column("target", Words, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("owner", Words, nullable=False),
    Column("digest", Name(64), nullable=False, unique=True),
)

LIVE_SESSIONS = Table(
    "live_sessions",
    METADATA,
    Column("id", Name(64), primary_key=True),
    Column("owner", Words, nullable=False),
    Column("epoch", Double, nullable=False),
    Column("options", Words, nullable=False),
    Column("transcript", Name(64), nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("seen_at", Double, nullable=False),
    Index("live_sessions_by_transcript", "transcript"),
)

LIVE_EVENTS = Table(
    "live_events",
    METADATA,
    Column("session", Name(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("event", Words, nullable=False),
)
