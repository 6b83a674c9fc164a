"""Links to read along; of their tokens only digests are kept."""

import hashlib
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from livebot.errors import NotFoundError
from livebot.store import rows, scopes
from livebot.store.database import Database
from livebot.store.records import Scope, Share
from livebot.store.tables import SHARES
from livebot.store.unbroken import unbroken


class Shares:
    """See `contract.Shares`.

    Args:
        database: Where they are.
        now: The time, in seconds since 1970.
    """

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    @unbroken
    async def add(self, share: Share, token: str) -> None:
        """Add one; of the token only a digest is kept."""
        async with self._database.writing() as connection:
            await connection.execute(SHARES.insert(), rows.of_share(share, _digest(token)))

    @unbroken
    async def find(self, token: str, now: float) -> Share | None:
        """Return what a token opens; None where it is nobody's or has expired."""
        wanted = sa.select(SHARES).where(
            SHARES.c.digest == _digest(token), SHARES.c.expires_at > now
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).mappings().first()
        return None if row is None else rows.share(rows.plain(row))

    @unbroken
    async def list(self, scope: Scope) -> Sequence[Share]:
        """Return those that have not expired."""
        wanted = sa.select(SHARES).where(scopes.shares(scope), SHARES.c.expires_at > self._now())
        async with self._database.reading() as connection:
            found = await connection.execute(wanted.order_by(SHARES.c.expires_at, SHARES.c.id))
            return [rows.share(rows.plain(row)) for row in found.mappings()]

    @unbroken
    async def withdraw(self, share: str, scope: Scope) -> None:
        """End one.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """
        async with self._database.writing() as connection:
            gone = await connection.execute(
                SHARES.delete().where(SHARES.c.id == share, scopes.shares(scope))
            )
        if not gone.rowcount:
            raise NotFoundError("there is no such link")

    @unbroken
    async def expire(self, now: float) -> int:
        """Erase those that ended before a time; return how many."""
        async with self._database.writing() as connection:
            gone = await connection.execute(SHARES.delete().where(SHARES.c.expires_at <= now))
            return int(gone.rowcount)


def _digest(token: str) -> str:
    # Tokens are long and random: nobody finds one by its digest.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
