"""Transcripts as files."""

import asyncio
import re
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs, web

from livebot.errors import RequestError
from livebot.transcripts.export import FORMATS, write
from livebot.transcripts.model import Transcript

CONTENT_TYPES: Final = MappingProxyType(
    {
        "txt": "text/plain",
        "srt": "application/x-subrip",
        "vtt": "text/vtt",
        "json": "application/json",
        "md": "text/markdown",
        "tsv": "text/tab-separated-values",
    }
)
"""By the name of the form."""

LONGEST_NAME = 100
"""Characters of a file's name, without its end."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
"""What may not be in a file's name somewhere, or makes it look like another."""


async def transcript_file(
    transcript: Transcript, form: str, *, title: str, words: bool = False
) -> web.Response:
    """Return a transcript as a file.

    Args:
        transcript: What was said.
        form: One of `FORMATS`.
        title: What the file is called.
        words: Whether the times of all words are in it.

    Raises:
        RequestError: There is no such form.
    """
    check_form(form)
    # A day of speech takes a second.
    text = await asyncio.to_thread(write, transcript, form, words=words)
    answer = web.Response(text=text, content_type=CONTENT_TYPES[form], charset="utf-8")
    answer.headers[hdrs.CONTENT_DISPOSITION] = attachment(f"{name_of(title)}.{form}")
    keep_private(answer)
    return answer


def check_form(form: str) -> None:
    """Check that there is such a form.

    Raises:
        RequestError: There is not.
    """
    if form not in FORMATS:
        raise RequestError(f"format must be one of {', '.join(FORMATS)}")


def keep_private(answer: web.StreamResponse) -> None:
    """Let nobody on the way keep an answer, nor a browser take it for what it is not."""
    answer.headers[hdrs.CACHE_CONTROL] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"


def name_of(title: str) -> str:
    """Return a name for a file that is one on all systems."""
    found = " ".join(_UNSAFE.sub(" ", title).split())
    found = found.encode("utf-8", "ignore").decode()
    return found[:LONGEST_NAME].strip(" .") or "transcript"


def attachment(name: str) -> str:
    """Return the header that names a file (RFC 6266), for old clients in ASCII as well."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
