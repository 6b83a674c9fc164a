"""Which Nextcloud's rooms a request is about."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from livebot import logs
from livebot.api.auth import caller, observer
from livebot.api.service import AppLifecycle, RoomService
from livebot.errors import RequestError
from livebot.ids import RoomToken, short
from livebot.settings import Settings

log = logs.get("api")


@dataclass(frozen=True, slots=True)
class Backend:
    """One Nextcloud: its name here, its rooms and its settings.

    `app` is what looks after the app there; None where this is none.
    """

    name: str
    rooms: RoomService
    settings: Settings
    app: AppLifecycle | None = None


class Backends:
    """All that are served.

    Args:
        rooms: Of each.
        settings: Of each, under the same names.
        apps: Who looks after the app of each; nothing where this is none.
    """

    def __init__(
        self,
        rooms: Mapping[str, RoomService],
        settings: Mapping[str, Settings],
        apps: Mapping[str, AppLifecycle] | None = None,
    ) -> None:
        apps = apps or {}
        self.all = {
            name: Backend(name, its, settings[name], apps.get(name)) for name, its in rooms.items()
        }
        self.have_apps = bool(apps)

    def of(self, request: web.Request) -> Backend:
        """Return the one that a request is about.

        A key of one backend stands for it. With any other, `?backend=` does, where there are
        several.

        Raises:
            RequestError: It is not clear which, or none of the caller's.
        """
        found = self.visible(request)
        if len(found) == 1:
            return found[0]
        names = "|".join(backend.name for backend in found)
        raise RequestError(f"say which backend: ?backend={names}")

    def visible(self, request: web.Request) -> list[Backend]:
        """Return those that the caller may see, or the one that is named in the request.

        Raises:
            RequestError: It names none of the caller's.
        """
        own, named = caller(request).backend, request.query.get("backend")
        found = [its for name, its in self.all.items() if own in (None, name)]
        if named is None:
            return found
        chosen = [backend for backend in found if backend.name == named]
        if not chosen:
            names = ", ".join(backend.name for backend in found)
            raise RequestError(f"this backend is not yours or not here; have {names}")
        return chosen

    def observed(self, request: web.Request) -> set[str]:
        """Return the names of those whose troubles may be told: none to a stranger."""
        who = observer(request)
        return {name for name in self.all if who and who.backend in (None, name)}

    @property
    def are_several(self) -> bool:
        """Whether a backend's name has to be told."""
        return len(self.all) > 1

    @property
    def query(self) -> dict[str, bool]:
        """The query's parameters of whatever is about one backend, and whether they must be."""
        return {"backend": False} if self.are_several else {}


def note(
    event: str, token: RoomToken, request: web.Request, backend: Backend, **more: object
) -> None:
    """Note in the log who did what to a room."""
    who = caller(request).name
    log.info(event, room=short(token), caller=who, backend=backend.name, **more)
