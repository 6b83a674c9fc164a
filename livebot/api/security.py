"""Who may call what, as Markdown, from the table of routes.

`python -m livebot.api.security deploy/security.md` puts it between the marks in that file.
"""

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import cast

from livebot.api.backends import Backends
from livebot.api.routes import Access, Route
from livebot.api.service import AppLifecycle
from livebot.api.table import all_routes
from livebot.metrics import Metrics

BEGIN = "<!-- routes: made by `python -m livebot.api.security deploy/security.md` -->"
END = "<!-- end of routes -->"


def render(routes: Iterable[Route]) -> str:
    """Return the table: by who may call, then in the order of the routes."""
    lines = ["| Who may call | Method | Path | What for |", "|---|---|---|---|"]
    order = list(Access)
    ordered = sorted(routes, key=lambda route: order.index(route.access))
    for access, group in groupby(ordered, key=lambda route: route.access):
        who = access.value
        for route in group:
            lines.append(f"| {who} | {route.method} | `{route.path}` | {_cell(route.summary)} |")
            who = ""
    return "\n".join(lines) + "\n"


def replaced(text: str, routes: Iterable[Route]) -> str:
    """Return the text with the table of these routes between the marks.

    Raises:
        ValueError: It does not have the marks, each once and in this order.
    """
    before, begin, rest = text.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end or BEGIN in old + after or END in before + after:
        raise ValueError(f"needs the marks {BEGIN} and {END}, each once")
    return f"{before}{BEGIN}\n\n{render(routes)}\n{END}{after}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def every_route() -> list[Route]:
    """Return what an app of Nextcloud serves, to be looked at only: there is no app behind it."""
    nobody = cast(AppLifecycle, object())
    return all_routes(Backends({}, {}, {"": nobody}), Metrics())


def main(path: Path) -> None:
    """Write the table into a file."""
    path.write_text(replaced(path.read_text(encoding="utf-8"), every_route()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
