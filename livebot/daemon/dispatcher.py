"""Each thing that a client says goes to where it is done; nothing here waits."""

from collections.abc import Callable

import msgspec

from livebot.daemon import answers
from livebot.daemon.answers import Answer
from livebot.daemon.framing import Garbage, Item
from livebot.daemon.host import Host
from livebot.daemon.recognitions import Recognitions
from livebot.daemon.requests import (
    Audio,
    Cancel,
    Close,
    Finish,
    Open,
    Ping,
    Recognise,
    Refusal,
    Status,
    parse,
)
from livebot.daemon.streams import LiveStreams


class Dispatcher:
    """Understands clients.

    Args:
        host: Asked how it is.
        recognitions: Takes files.
        streams: Takes live streams.
        say: Tells clients.
    """

    def __init__(
        self,
        host: Host,
        recognitions: Recognitions,
        streams: LiveStreams,
        say: Callable[[Answer], None],
    ) -> None:
        self._host = host
        self._recognitions = recognitions
        self._streams = streams
        self._say = say

    def take(self, item: Item) -> None:
        """Take in one thing that a client said, whatever it is."""
        if isinstance(item, Garbage):
            self._say(answers.failed({}, item.reason))
            return
        match parse(item):
            case Refusal(reason=reason, about=about):
                self._say(answers.failed(about, reason))
            case Recognise() as request:
                self._recognitions.accept(request)
            case Cancel(cancel=name):
                if not self._recognitions.cancel(name):
                    reason = "no request with this id is under way"
                    self._say(answers.failed({"cancel": name}, reason))
            case Ping(id=name):
                self._say(answers.pong(name))
            case Status() as request:
                self._say(self._status(request))
            case Open() as request:
                self._streams.open(request)
            case Audio() | Finish() | Close() as request:
                self._streams.take(request)

    def _status(self, request: Status) -> Answer:
        under_way = {
            "requests": len(self._recognitions.tasks),
            "streams": len(self._streams.tasks),
        }
        return answers.status(request.id, msgspec.to_builtins(self._host.status()) | under_way)
