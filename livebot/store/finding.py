"""Transcripts found by what was said, and pages of them (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from livebot.errors import RequestError
from livebot.store import rows, scopes
from livebot.store.cursors import Place, pack, unpack
from livebot.store.folding import folded
from livebot.store.records import Page, Scope
from livebot.store.tables import TRANSCRIPTS, UTTERANCES

MOST = 500
"""On a page."""

LONGEST_QUERY = 500
"""Characters; nobody looks for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which ones; what is empty is any."""

    query: str
    kind: str
    room: str
    person: str


def select(scope: Scope, wanted: Wanted, *, limit: int, cursor: str) -> sa.Select[tuple[object]]:
    """Return what finds one more than a page.

    Raises:
        RequestError: The cursor is none of ours, or the query is too long.
    """
    heads = TRANSCRIPTS.c
    found: sa.Select[tuple[object]] = sa.select(TRANSCRIPTS).where(scopes.transcripts(scope))
    if wanted.kind:
        found = found.where(heads.kind == wanted.kind)
    if wanted.room:
        found = found.where(heads.room == wanted.room)
    if wanted.person:
        found = found.where(_said().where(UTTERANCES.c.person == wanted.person).exists())
    if query := _query(wanted.query):
        match = _said().where(UTTERANCES.c.folded.contains(query, autoescape=True))
        text = match.with_only_columns(UTTERANCES.c.text).order_by(UTTERANCES.c.start).limit(1)
        found = found.add_columns(text.scalar_subquery().label("match"))
        found = found.where(match.exists() | heads.folded.contains(query, autoescape=True))
    if cursor:
        place = unpack(cursor)
        after = sa.tuple_(place.at, sa.literal(place.id, heads.id.type))
        found = found.where(sa.tuple_(heads.started_at, heads.id) < after)
    return found.order_by(heads.started_at.desc(), heads.id.desc()).limit(_size(limit) + 1)


def page(found: Sequence[rows.Row], *, limit: int, has_query: bool) -> Page:
    """Return a page of what was found."""
    size = _size(limit)
    items = tuple(rows.head(row) for row in found[:size])
    more = len(found) > size
    return Page(
        items,
        cursor=pack(Place(items[-1].started_at, items[-1].id)) if more else "",
        texts=tuple(row.get("match") or "" for row in found[:size]) if has_query else (),
    )


def _size(limit: int) -> int:
    return min(max(limit, 1), MOST)


def _query(query: str) -> str:
    if len(query) > LONGEST_QUERY:
        raise RequestError(f"look for at most {LONGEST_QUERY} characters")
    return folded(query)


def _said() -> sa.Select[tuple[object]]:
    return (
        sa.select(UTTERANCES.c.id)
        .where(UTTERANCES.c.transcript == TRANSCRIPTS.c.id)
        .correlate(TRANSCRIPTS)
    )
