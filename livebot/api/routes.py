"""What a route is: the one table from which server, guard, OpenAPI and `security.md` follow."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Access(Enum):
    """Who may use a route; the value is what `deploy/security.md` says of it."""

    OPEN = "anybody"
    """It tells nothing about anybody, and changes nothing."""

    OBSERVER = "whoever has a key; anybody where LT_OPEN_METRICS says so, or from this machine"
    """Figures."""

    CALLER = "whoever has a key; Nextcloud, where livebot is its app"
    """Calls, each caller's backend only."""

    SHARED = "whoever has a key or a link to it; Nextcloud, where livebot is its app"
    """One call, live session or transcript, to be read."""

    LIVE = "whoever has a key or a ticket of who has; Nextcloud, where livebot is its app"
    """WebSockets, for which browsers cannot show a key."""

    APP = "Nextcloud, where livebot is its app"
    """The app's life: Nextcloud alone may begin and end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Attributes:
        method: In capitals.
        path: As aiohttp writes it, `/rooms/{roomToken}`.
        handler: Who answers.
        access: Who may ask.
        summary: One line for the document.
        query: Parameters of the query, and whether each is required.
        body: The type of the JSON body; None where there is none.
        answers: By status: the type of the JSON answer, or None where it is plain text. What
            the guard and the server itself answer (400, 401, 403, 413, 429 ...) is added for all.
        form: Fields of a form (`multipart/form-data`) in place of a JSON body: name and type in
            JSON Schema; `binary` for a file.
        content: By status: the type of content of answers that are neither JSON nor plain text.
        is_long: Whether the answer may take long: a stream, an upload, or what is waited for.
            The handler has deadlines of its own then.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    summary: str
    query: dict[str, bool] = field(default_factory=dict)
    body: type | None = None
    answers: dict[int, Any] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    content: dict[int, str] = field(default_factory=dict)
    is_long: bool = False
