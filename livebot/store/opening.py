"""How connections to a database are made: its address, its ways, its deadlines."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError

from livebot.errors import ConfigError

BUSY_S = 10.0
"""How long SQLite waits for another process; longer than anybody writes."""

CONNECT_S = 5
STATEMENT_MS = 30_000
"""How long PostgreSQL may take to connect, and for one statement."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {round(BUSY_S * 1000)}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # a crash of the service loses nothing
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)


def address(text: str, folder: Path) -> URL:
    """Return the address of a database; without a text, that of a file in a folder.

    Raises:
        ConfigError: The text is none, or names no file.
    """
    if not text:
        return URL.create("sqlite+aiosqlite", database=str(folder / "livebot.db"))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "LT_DATABASE_URL cannot be read: it is like postgresql://user:password@host/livebot"
        ) from None
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise ConfigError(
                "LT_DATABASE_URL names no file: it is like sqlite:////srv/livebot.db"
            )
        return url.set(drivername="sqlite+aiosqlite")
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError("LT_DATABASE_URL must begin with postgresql:// or sqlite:///")
    return url.set(drivername="postgresql+psycopg")


def is_sqlite(url: URL) -> bool:
    """Say whether an address is a file of this machine."""
    return url.get_backend_name() == "sqlite"


def blocking(url: URL) -> URL:
    """Return the same address for connections without a loop."""
    return url.set(drivername="sqlite") if is_sqlite(url) else url


def arguments(url: URL) -> dict[str, Any]:
    """Return how an engine is to be made, whatever its pool."""
    if is_sqlite(url):
        # Transactions begin where we say, not where Python's module guesses.
        connect: dict[str, Any] = {"isolation_level": None, "timeout": BUSY_S}
    else:
        connect = {
            "connect_timeout": CONNECT_S,
            "prepare_threshold": None,  # others may stand between, like PgBouncer
            "tcp_user_timeout": 10_000,
            "options": f"-c statement_timeout={STATEMENT_MS} -c lock_timeout=10000"
            " -c idle_in_transaction_session_timeout=60000",
        }
    return {"connect_args": connect, "hide_parameters": True}


def prepare(engine: Engine) -> None:
    """Let an engine's connections to SQLite be as we need them."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        if begin := connection.get_execution_options().get("begin", "BEGIN"):
            connection.exec_driver_sql(begin)


def need_driver(url: URL) -> None:
    """Import what speaks to a database, which reads files.

    Raises:
        ConfigError: It is not installed.
    """
    if is_sqlite(url):
        return
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ConfigError(
            "PostgreSQL needs more: pip install 'livebot[postgresql]', or unset LT_DATABASE_URL"
        ) from None
