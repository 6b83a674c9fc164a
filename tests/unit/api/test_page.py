"""The page's files: all of them, nothing else, and a policy that lets only them run."""

import re
from collections.abc import AsyncIterator
from importlib import resources

import aiohttp
import pytest

from livebot import web
from livebot.api.page import INDEX, Asset, Page, assets
from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from tests.support.fake_rooms import FakeRooms

LINK = re.compile(r"""(?:src|href)="([^"#]+)\"""")
IMPORT = re.compile(r"""(?:from|import\(|import) ?"([^"]+)\"""")


@pytest.fixture
def keyed() -> Settings:
    """Return settings of a service with a key; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys="ops:0123456789abcdef")


@pytest.fixture
async def visitor(keyed: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Return somebody without a key."""
    app = make_app({"default": FakeRooms()}, keyed, Metrics())
    async with (
        serve(app, Bind("127.0.0.1", 0)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def test_anybody_gets_the_page(visitor: aiohttp.ClientSession) -> None:
    """It asks for the key itself. Spec: page/Served to anybody."""
    async with visitor.get("/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert await answer.read() == assets()[INDEX].body


async def test_every_part_has_its_headers(visitor: aiohttp.ClientSession) -> None:
    """No part may run what is not ours. Spec: page/Nothing foreign runs."""
    for path in ["/", *(f"/assets/{name}" for name in assets())]:
        async with visitor.get(path) as answer:
            assert answer.status == 200
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "*" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-cache"
            assert "microphone=(self)" in answer.headers["Permissions-Policy"]


async def test_what_has_not_changed_is_not_sent_again(visitor: aiohttp.ClientSession) -> None:
    """A mark stands for what is in a file. Spec: page/Served to anybody."""
    async with visitor.get("/assets/app.js") as answer:
        mark = answer.headers["ETag"]
    async with visitor.get("/assets/app.js", headers={"If-None-Match": mark}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with visitor.get("/assets/app.js", headers={"If-None-Match": '"old"'}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "name", ["__init__.py", "missing.js", "..%2Fapi%2Fpage.py", "%2e%2e%2fapp.py", ".", ""]
)
async def test_other_files_are_not_there(visitor: aiohttp.ClientSession, name: str) -> None:
    """Names are looked up, never opened. Spec: page/Served to anybody."""
    async with visitor.get(f"/assets/{name}") as answer:
        # Without a key nobody learns which paths there are.
        assert answer.status in {401, 404}
        assert b"import" not in await answer.read()


def test_no_page_no_routes() -> None:
    """Spec: page/Switched off."""
    assert Page(Services(page=False)).routes() == []
    assert [route.path for route in Page(Services()).routes()] == ["/", "/assets/{name}"]


def test_whatever_a_file_refers_to_is_there() -> None:
    """Nothing comes from elsewhere, and nothing is missing. Spec: page/Nothing foreign runs."""
    found = assets()
    for name, asset in found.items():
        text = asset.body.decode()
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text
        links = [link.removeprefix("assets/") for link in LINK.findall(text)]
        links += [link.removeprefix("./") for link in IMPORT.findall(text)]
        assert set(links) <= set(found), name


def test_nothing_inline() -> None:
    """The policy would keep it from working: style attributes, handlers, scripts in the page."""
    text = assets()[INDEX].body.decode()
    assert not re.search(r"\son[a-z]+=|\sstyle=|<style|<script(?![^>]*src=)", text)


def test_text_is_never_made_markup() -> None:
    """Names and words come from strangers. Spec: page/Words are text."""
    for name, asset in assets().items():
        if name.endswith(".js"):
            text = asset.body.decode()
            for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
                assert way not in text, (name, way)


def test_all_kinds_of_files_of_the_package_are_known() -> None:
    """A new kind of file would silently be left out."""
    names = {
        file.name
        for file in resources.files(web).iterdir()
        if file.is_file() and not file.name.endswith((".py", ".pyc"))
    }
    assert names == set(assets())
    assert all(isinstance(asset, Asset) for asset in assets().values())
