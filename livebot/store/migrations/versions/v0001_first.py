"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go there."""
    _transcripts()
    _utterances()
    _gaps()
    _audio()
    _jobs()
    _others()


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def _transcript() -> "sa.Column[str]":
    return sa.Column(
        "transcript",
        sa.String(64),
        sa.ForeignKey("transcripts.id", ondelete="CASCADE"),
        nullable=False,
    )


def _number() -> "sa.Column[int]":
    return sa.Column("id", _KEY, primary_key=True, autoincrement=True)


def _seconds(name: str, *, nullable: bool = False) -> "sa.Column[float]":
    return sa.Column(name, sa.Double, nullable=nullable)


def _transcripts() -> None:
    op.create_table(
        "transcripts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        _text("owner"),
        _text("backend"),
        _text("room"),
        _text("title"),
        _text("language"),
        _text("model"),
        _seconds("started_at"),
        _seconds("ended_at", nullable=True),
        _seconds("duration"),
        sa.Column("audio", sa.Boolean, nullable=False),
        _seconds("language_probability", nullable=True),
    )
    op.create_index("transcripts_by_start", "transcripts", ["started_at", "id"])
    op.create_index("transcripts_by_room", "transcripts", ["room"])


def _utterances() -> None:
    op.create_table(
        "utterances",
        _number(),
        _transcript(),
        _seconds("start"),
        _seconds("end"),
        _text("speaker"),
        _text("person"),
        _text("language"),
        _text("text"),
        _text("words"),
        sqlite_autoincrement=True,
    )
    op.create_index("utterances_by_transcript", "utterances", ["transcript", "start"])
    op.create_index("utterances_by_person", "utterances", ["person"])


def _gaps() -> None:
    op.create_table(
        "gaps",
        _number(),
        _transcript(),
        _text("cause"),
        _seconds("start"),
        _seconds("end", nullable=True),
        _seconds("lost_s"),
        _text("speaker"),
        _text("person"),
        sqlite_autoincrement=True,
    )
    op.create_index("gaps_by_transcript", "gaps", ["transcript", "start"])


def _audio() -> None:
    op.create_table(
        "audio",
        _number(),
        _transcript(),
        _text("person"),
        _seconds("start"),
        _seconds("end"),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_index("audio_by_transcript", "audio", ["transcript", "start"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        _text("owner"),
        _text("name"),
        _text("path"),
        sa.Column("size", sa.BigInteger, nullable=False),
        _text("options"),
        sa.Column("state", sa.String(16), nullable=False),
        _seconds("created_at"),
        _seconds("started_at", nullable=True),
        _seconds("finished_at", nullable=True),
        _seconds("heard_s"),
        _seconds("total_s"),
        sa.Column("attempts", sa.Integer, nullable=False),
        _text("error"),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("ephemeral", sa.Boolean, nullable=False),
        sa.Column("worker", sa.String(128), nullable=False),
        _seconds("lease_until", nullable=True),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created_at"])


def _others() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        _text("target"),
        _seconds("expires_at"),
        _text("owner"),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "live_sessions",
        sa.Column("id", sa.String(64), primary_key=True),
        _text("owner"),
        _seconds("epoch"),
        _text("options"),
        sa.Column("transcript", sa.String(64), nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        _seconds("seen_at"),
    )
    op.create_index("live_sessions_by_transcript", "live_sessions", ["transcript"])
    op.create_table(
        "live_events",
        sa.Column("session", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        _seconds("at"),
        _text("event"),
    )
