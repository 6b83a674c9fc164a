"""Forms with a file: fields in memory, the file to disk as it comes.

Fields may come before the file or after it. Who sends nothing for a while, breaks off or sends
what is no such form is told so, and nothing of the file is left.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from aiohttp import BodyPartReader, MultipartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.multipart import BadContentDispositionHeader, BadContentDispositionParam

from livebot.errors import RequestError
from livebot.jobs.service import Jobs, TooLargeError, Upload

FILE: Final = "file"
"""The name of the part that is the file."""

STALLED_S: Final = 30.0
LEAST_BYTES: Final = 4096
"""So much has to come within that time: a connection that trickles is one that is held."""

MOST_FIELDS: Final = 64
MOST_FIELD_BYTES: Final = 16 * 1024
_OVERHEAD = 1 << 20
"""What fields and boundaries may take besides the file."""

_PIECE = 1 << 16

# Python would print what strangers send, names of files among it.
warnings.filterwarnings("ignore", category=BadContentDispositionHeader)
warnings.filterwarnings("ignore", category=BadContentDispositionParam)

T = TypeVar("T")


@dataclass(slots=True)
class Form:
    """What came.

    Attributes:
        upload: The file; None where there was none.
        values: The fields, as often as each came.
    """

    upload: Upload | None = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """Return a field that comes once.

        Raises:
            RequestError: It came more often.
        """
        found = self.values.get(name, ())
        if len(found) > 1:
            raise RequestError(f"{name} is there {len(found)} times: give it once")
        return found[0] if found else default

    def need_file(self) -> Upload:
        """Return the file.

        Raises:
            RequestError: There is none.
        """
        if self.upload is None:
            raise RequestError(f"the form has no part named {FILE} with a file")
        return self.upload


async def read_form(
    request: web.Request, jobs: Jobs, fields: Collection[str], *, ignores_others: bool = False
) -> Form:
    """Read a form. Its file is the caller's, to submit or to discard.

    Args:
        request: With the form.
        jobs: Where the file is put.
        fields: Names that fields may have.
        ignores_others: Whether other fields are no fault.

    Raises:
        RequestError: It is no such form, has what it should not have, or breaks off.
        BusyError: There is no room for the file.
        HTTPRequestEntityTooLarge: The file is too large.
        HTTPRequestTimeout: Nothing comes any more.
    """
    _check_head(request)
    reading = _Reading(request, jobs, None if ignores_others else frozenset(fields))
    try:
        await reading.run()
    except BaseException as exc:
        if reading.upload is not None:
            await jobs.discard(reading.upload)
        if isinstance(exc, TooLargeError):
            limit = request.content_length or 0
            raise web.HTTPRequestEntityTooLarge(limit, reason=str(exc)) from exc
        raise
    return Form(reading.upload, reading.values)


def _check_head(request: web.Request) -> None:
    if request.content_type != "multipart/form-data":
        raise RequestError("Content-Type must be multipart/form-data, as curl -F sends it")
    if hdrs.CONTENT_ENCODING in request.headers:
        raise RequestError("the body must not be compressed")


class _Reading:
    """One form on its way; `known` None for any field."""

    def __init__(self, request: web.Request, jobs: Jobs, known: Collection[str] | None) -> None:
        self._request = request
        self._jobs = jobs
        self._known = known
        self._parts = 0
        self.upload: Upload | None = None
        self.values: dict[str, list[str]] = {}

    async def run(self) -> None:
        """Read all of it."""
        if (length := self._request.content_length) is not None:
            self._jobs.check_size(max(0, length - _OVERHEAD))
        reader = await _safely(self._request.multipart())
        while (part := await _in_time(reader.next())) is not None:
            self._parts += 1
            if self._parts > MOST_FIELDS:
                raise RequestError(f"the form has more than {MOST_FIELDS} parts")
            await self._take(part)

    async def _take(self, part: MultipartReader | BodyPartReader) -> None:
        name, file_name = _names(part)
        if not isinstance(part, BodyPartReader) or not name:
            raise RequestError("the form has a part without a name, or with parts of its own")
        encoding = part.headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "binary").lower()
        if encoding not in {"binary", "7bit", "8bit"} or hdrs.CONTENT_ENCODING in part.headers:
            raise RequestError("the parts of the form must not be encoded")
        if name == FILE:
            await self._take_file(part, file_name)
        elif self._known is None or name in self._known:
            self.values.setdefault(name, []).append(await _text(part))
        else:
            known = ", ".join(sorted(self._known))
            raise RequestError(f"the form has a field that is not known; known are {known}")

    async def _take_file(self, part: BodyPartReader, name: str) -> None:
        if self.upload is not None:
            raise RequestError("the form has more than one file: send one form for each")
        length = self._request.content_length
        size = None if length is None else max(0, length - _OVERHEAD)
        self.upload = await self._jobs.receive(name, _pieces(part), size=size)


def _names(part: MultipartReader | BodyPartReader) -> tuple[str, str]:
    """Return the names of a part and of its file; empty where they are missing or malformed."""
    if not isinstance(part, BodyPartReader):
        return "", ""
    try:
        return part.name or "", part.filename or ""
    except Warning:  # where Python makes errors of them
        return "", ""


async def _text(part: BodyPartReader) -> str:
    found = bytearray()
    async for piece in _pieces(part):
        found += piece
        if len(found) > MOST_FIELD_BYTES:
            raise RequestError(f"a field of the form has more than {MOST_FIELD_BYTES} bytes")
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise RequestError("a field of the form is not UTF-8") from None


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    """Yield what comes of a part, as long as enough does."""
    loop = asyncio.get_running_loop()
    deadline, came = loop.time() + STALLED_S, 0
    while not part.at_eof():
        piece = await _in_time(part.read_chunk(_PIECE), deadline)
        came += len(piece)
        if came >= LEAST_BYTES:
            deadline, came = loop.time() + STALLED_S, 0
        if piece:
            yield piece


async def _in_time(reading: Awaitable[T], deadline: float | None = None) -> T:
    if deadline is None:
        deadline = asyncio.get_running_loop().time() + STALLED_S
    try:
        async with asyncio.timeout_at(deadline):
            return await _safely(reading)
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            reason=f"the upload made no progress for {STALLED_S:g} s: try again"
        ) from None


async def _safely(reading: Awaitable[T]) -> T:
    """Read; aiohttp's exceptions end here."""
    try:
        return await reading
    except (web.RequestPayloadError, ConnectionError) as exc:
        raise RequestError("the upload broke off") from exc
    except (ValueError, AssertionError, RuntimeError, Warning, HttpProcessingError) as exc:
        # So many kinds aiohttp has for what is no form; its texts quote what was sent.
        raise RequestError("the body is not a whole form: it breaks off, or is malformed") from exc
