"""HTTP as aiohttp speaks it, except that it quotes nothing of what it does not understand.

aiohttp answers malformed requests before any middleware sees them, with the very bytes that it
stumbled over. Those may be a key or a credential, and proxies log answers of status 400.
"""

from aiohttp import web
from aiohttp.web_request import BaseRequest

from livebot.api.replies import reply
from livebot.api.schemas import Error


class Http(web.RequestHandler):
    """Speaks HTTP on one connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request, or what failed outside of all handlers."""
        super().handle_error(request, status, exc, message)
        # aiohttp quotes headers there, which fails where they are no text.
        is_ours = status >= web.HTTPInternalServerError.status_code and not isinstance(
            exc, UnicodeError
        )
        if is_ours:
            answer = reply(Error("internal error"), status=status)
        else:
            answer = reply(Error("this is not understood as HTTP"), status=400)
        answer.force_close()
        return answer
