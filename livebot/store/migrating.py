"""Brings a database to the newest tables, whoever else does so at the same time.

Runs in a thread with a connection of its own: alembic reads files and knows no loop.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection

from livebot.errors import StoreError
from livebot.store import faults
from livebot.store.opening import arguments, prepare

FOLDER = Path(__file__).parent / "migrations"

_LOCK = 0x6C697665_626F7401
"""PostgreSQL's lock for this, among all programs that share the database; any number."""


def migrate(url: URL, to: str = "head") -> None:
    """Bring a database to a migration.

    Raises:
        StoreError: The database cannot be reached, or was made by a newer version.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool, **arguments(url))
    prepare(engine)
    try:
        with faults.told(), engine.connect() as plain:
            connection = plain.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                _upgrade(connection, to)
    finally:
        engine.dispose()


def _upgrade(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError:
        raise StoreError(
            "the database was made by a newer version of livebot: use that one, or another"
            " database"
        ) from None
