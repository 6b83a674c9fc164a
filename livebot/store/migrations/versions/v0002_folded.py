"""Titles and words once more as they are searched: in any case, also beyond ASCII."""

import sqlalchemy as sa
from alembic import op

from livebot.store.folding import folded

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AT_ONCE = 500
"""Rows; a large database is not read into memory."""


def upgrade() -> None:
    """Go there."""
    for table, column in (("transcripts", "title"), ("utterances", "text")):
        op.add_column(table, sa.Column("folded", sa.Text, nullable=False, server_default=""))
        _fill(sa.table(table, sa.column("id"), sa.column(column), sa.column("folded")), column)


def _fill(table: sa.TableClause, column: str) -> None:
    connection = op.get_bind()
    update = (
        table.update().where(table.c.id == sa.bindparam("row")).values(folded=sa.bindparam("to"))
    )
    wanted = sa.select(table.c.id, table.c[column]).order_by(table.c.id).limit(_AT_ONCE)
    after = None
    while True:
        rows = connection.execute(
            wanted if after is None else wanted.where(table.c.id > after)
        ).all()
        if not rows:
            return
        connection.execute(update, [{"row": row[0], "to": folded(row[1])} for row in rows])
        after = rows[-1][0]
