"""What a caller may see, as conditions (pure)."""

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from livebot.store.records import Kind, Scope
from livebot.store.tables import JOBS, SHARES, TRANSCRIPTS


def transcripts(scope: Scope) -> ColumnElement[bool]:
    """Return which transcripts: the calls of the backend, and what else is the owner's."""
    is_call = TRANSCRIPTS.c.kind == Kind.CALL.value
    calls = (
        is_call if scope.backend is None else is_call & (TRANSCRIPTS.c.backend == scope.backend)
    )
    own = ~is_call if scope.owner is None else ~is_call & (TRANSCRIPTS.c.owner == scope.owner)
    return sa.or_(calls, own)


def jobs(scope: Scope) -> ColumnElement[bool]:
    """Return which jobs: the owner's."""
    return sa.true() if scope.owner is None else JOBS.c.owner == scope.owner


def shares(scope: Scope) -> ColumnElement[bool]:
    """Return which links: the owner's; of calls only those of the backend."""
    own = sa.true() if scope.owner is None else SHARES.c.owner == scope.owner
    if scope.backend is None:
        return own
    its = SHARES.c.target.startswith(f"{scope.backend}/", autoescape=True)
    return own & ((SHARES.c.kind != "room") | its)
