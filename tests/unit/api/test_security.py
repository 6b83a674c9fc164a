"""The table of who may call what."""

from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from livebot.api.routes import Access, Route
from livebot.api.security import BEGIN, END, every_route, main, render, replaced

DOCUMENT = Path(__file__).parents[3] / "deploy" / "security.md"


async def _nothing(_: web.Request) -> web.StreamResponse:
    return web.Response()


def route(access: Access, path: str = "/x", summary: str = "Do it") -> Route:
    """Return a route."""
    return Route(method="GET", path=path, handler=_nothing, access=access, summary=summary)


def test_every_route_is_in_the_document() -> None:
    """`deploy/security.md` is what the code does. Spec: access/Callers."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert replaced(text, every_route()) == text, f"run {BEGIN.split('`')[1]}"
    for one in every_route():
        assert f"| {one.method} | `{one.path}` |" in text


def test_rendered() -> None:
    """Routes are in groups by who may call; the first of a group says who."""
    found = render([route(Access.APP, "/a"), route(Access.OPEN, "/b"), route(Access.APP, "/c|d")])

    assert found.splitlines()[2:] == [
        f"| {Access.OPEN.value} | GET | `/b` | Do it |",
        f"| {Access.APP.value} | GET | `/a` | Do it |",
        "|  | GET | `/c|d` | Do it |",
    ]


@given(st.text(), st.text(), st.lists(st.sampled_from(Access), max_size=4))
def test_the_rest_stays(before: str, after: str, accesses: list[Access]) -> None:
    """Only what is between the marks changes, and once only."""
    routes = [route(access) for access in accesses]
    text = f"{before}{BEGIN}old{END}{after}"

    new = replaced(text, routes)

    assert new.startswith(before + BEGIN)
    assert new.endswith(END + after)
    assert replaced(new, routes) == new


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_without_the_marks(text: str) -> None:
    """A document that has none is left alone."""
    with pytest.raises(ValueError, match="marks"):
        replaced(text, [])


def test_written(tmp_path: Path) -> None:
    """The command changes the file."""
    path = tmp_path / "security.md"
    path.write_text(f"# A\n\n{BEGIN}{END}\n", encoding="utf-8")

    main(path)

    assert "`/healthz`" in path.read_text(encoding="utf-8")
