"""What is wrong with a database, said so that somebody can do something about it.

Rule: no text of the database's own gets out. It may have the address, what was asked, or a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc as sql

from livebot import logs
from livebot.errors import StoreError

log = logs.get("store")

_SQLITE = {
    "disk is full": "the disk of the database is full: free some space",
    "readonly": "the database cannot be written: give its file and folder to the service's user",
    "unable to open": "the database cannot be opened: check LT_DATA_DIR and its rights",
    "locked": "the database is held by somebody else: try again; if this stays, see who has it"
    " open",
    "malformed": "the database's file is damaged: put back a copy, or move it away",
    "not a database": "what should be the database is another file: check LT_DATABASE_URL",
    "disk i/o": "the disk of the database fails: check it, and that it is not full",
}
"""What SQLite says, and what to do."""

_POSTGRESQL = {
    "28": "the database server refuses the user or password of LT_DATABASE_URL",
    "3D": "there is no such database on the server: create it, or correct LT_DATABASE_URL",
    "42501": "the user of LT_DATABASE_URL may not do what is needed: make it the database's owner",
    "53100": "the disk of the database server is full: free some space",
    "53300": "the database server takes no more connections: raise its max_connections",
    "53": "the database server lacks disk or memory: free some",
    "57014": "the database server took too long: try again; if this stays, see what it does",
    "55P03": "the database is held by somebody else: try again; if this stays, see who locks it",
    "40": "somebody else changed the same: try again",
    "25006": "the database server only lets read: connect to the one that may be written",
}
"""Beginnings of PostgreSQL's codes, and what to do; longer ones win."""

_TABLES = "tables of the database are missing: put back a copy, or begin with an empty database"
_SQLITE["no such table"] = _POSTGRESQL["42P01"] = _TABLES

_UNREACHED = (
    "the database server cannot be reached: check that it runs, and host and port in"
    " LT_DATABASE_URL"
)
_LATE = "the database does not answer in time: check that it runs and is not overloaded"
_ELSE = "the database failed; the log says with which code"


@contextmanager
def told() -> Iterator[None]:
    """Raise what a database raises as what an operator can read.

    Raises:
        StoreError: The database failed.
    """
    try:
        yield
    except (sql.DataError, sql.IntegrityError, sql.ProgrammingError) as exc:
        if (text := _known(exc)) is None:
            raise
        raise StoreError(text) from None
    except sql.DBAPIError as exc:
        text = _known(exc) or (_ELSE if _is_sqlite(exc) or code(exc) else _UNREACHED)
        log.warning("database_failed", fault=type(exc).__name__, code=code(exc), cure=text)
        raise StoreError(text) from None
    except (sql.TimeoutError, TimeoutError):
        raise StoreError(_LATE) from None
    except OSError:
        raise StoreError(_UNREACHED) from None


def code(exc: sql.DBAPIError) -> str:
    """Return PostgreSQL's code of a fault, or SQLite's name for it; empty where it has none."""
    found = getattr(exc.orig, "sqlstate", None) or getattr(exc.orig, "sqlite_errorname", None)
    return str(found or "")


def _is_sqlite(exc: sql.DBAPIError) -> bool:
    return getattr(exc.orig, "sqlite_errorname", None) is not None


def _known(exc: sql.DBAPIError) -> str | None:
    state = code(exc)
    for length in (5, 2):
        if not _is_sqlite(exc) and state[:length] in _POSTGRESQL:
            return _POSTGRESQL[state[:length]]
    said = str(exc.orig).lower()
    if not state and ("password authentication" in said or "no password" in said):
        return _POSTGRESQL["28"]
    if not state and 'database "' in said and "does not exist" in said:
        return _POSTGRESQL["3D"]
    return next((cure for what, cure in _SQLITE.items() if what in said), None)
