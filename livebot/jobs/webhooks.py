"""Telling others that a job is over: signed, again where it did not arrive, by one process.

Whoever holds the lock of the data folder tells for all processes that share it. What is still
to be told is in the database: a restart begins its tries anew. A receiver may be told twice
where the service ended between telling and noting it.
"""

import asyncio
import hashlib
import hmac
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from livebot import __version__, logs
from livebot.errors import FetchError, LivebotError, RequestError, StoreError
from livebot.fetch import urls
from livebot.fetch.addresses import Allowed
from livebot.fetch.locks import locked
from livebot.fetch.resolver import GuardedResolver
from livebot.ids import short
from livebot.settings import Settings
from livebot.store import contract
from livebot.store.records import Job

log = logs.get("jobs")

SIGNATURE: Final = "Livebot-Signature"

DEADLINE_S = 10.0
"""From the connection to the end of the answer."""

DELAYS_S: Final = (5.0, 30.0, 120.0, 300.0)
"""Before each further try: a receiver may be restarting; after all, about eight minutes."""

POLL_S = 5.0
"""How long what another process finished may wait for this one."""

AT_ONCE: Final = 8
IN_A_ROW: Final = 4 * AT_ONCE
"""How many are told before it is looked again who is first."""

_LOOKUP_S = 2.0
_OK = range(200, 300)


def signature(secret: str, body: bytes, now: float) -> str:
    """Return the header by which a receiver knows that it is told by us, and when."""
    stamp = str(int(now))
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},v1={signed.hexdigest()}"


def body_of(job: Job) -> bytes:
    """Return what is told of a job."""
    found = {"job_id": job.id, "state": job.state.value}
    return msgspec.json.encode(found | ({"error": job.error} if job.error else {}))


@dataclass(slots=True)
class _Telling:
    """How far somebody is told: tries so far, and when the next one is due."""

    tries: int = 0
    due: float = 0.0


class Webhooks:
    """Tells what is over.

    Args:
        settings: The secret, and hosts with private addresses that may be told.
        jobs: Where what is to be told is kept.
        folder: The data folder.
        lookup: Who knows the addresses of names.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: contract.Jobs,
        folder: Path,
        lookup: Callable[[], AbstractResolver] = ThreadedResolver,
    ) -> None:
        self._secret = settings.webhook_secret.get_secret_value()
        self._allowed = Allowed.of(settings.webhook_hosts)
        self._jobs = jobs
        self._lock = folder / "webhooks.lock"
        self._lookup = lookup
        self._wake = asyncio.Event()
        self._tellings: dict[str, _Telling] = {}

    @property
    def is_on(self) -> bool:
        """Whether jobs may have webhooks."""
        return bool(self._secret)

    async def check(self, url: str) -> None:
        """Check an address before a job is taken that has it.

        Raises:
            RequestError: It may not be called.
        """
        if not self._secret:
            raise RequestError("webhook: there are none here: LT_WEBHOOK_SECRET is not set")
        resolver = GuardedResolver(self._lookup(), self._allowed)
        try:
            found = urls.checked(url, self._allowed)
            async with asyncio.timeout(_LOOKUP_S):
                await resolver.resolve(found.raw_host or "", found.port or 0)
        except FetchError as exc:
            text = str(exc).replace("LT_FETCH_HOSTS", "LT_WEBHOOK_HOSTS")
            raise RequestError(f"webhook: {text}") from exc
        except TimeoutError:
            pass  # a slow name server is no reason to refuse
        except OSError as exc:
            raise RequestError("webhook: there is no host of this name") from exc
        finally:
            await resolver.close()

    def wake(self) -> None:
        """Look at once: a job is over."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        async with self._alone():
            while True:
                self._wake.clear()
                try:
                    await self._tell_due()
                except StoreError as exc:
                    log.warning("webhooks_not_read", error=str(exc))
                await self._rest()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Wait until no other process tells."""
        while (number := await asyncio.to_thread(locked, self._lock)) is None:
            await self._rest()  # nobody tells us when the other one ends
        try:
            yield
        finally:
            os.close(number)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _tell_due(self) -> None:
        jobs = await self._jobs.untold()
        known = {job.id for job in jobs}
        self._tellings = {id_: its for id_, its in self._tellings.items() if id_ in known}
        now = time.monotonic()
        due = [job for job in jobs if self._tellings.setdefault(job.id, _Telling()).due <= now]
        # Those who are away hold up nobody who is not.
        due.sort(key=lambda job: self._tellings[job.id].tries)
        slots = asyncio.Semaphore(AT_ONCE)

        async def tell(job: Job) -> None:
            async with slots:
                await self._try(job)

        async with asyncio.TaskGroup() as group:
            for job in due[:IN_A_ROW]:
                group.create_task(tell(job), name="webhook")

    async def _try(self, job: Job) -> None:
        telling = self._tellings[job.id]
        telling.tries += 1
        try:
            status = await self._post(job)
            why = "" if status in _OK else f"it answered {status}"
        except (LivebotError, aiohttp.ClientError, OSError) as exc:
            why = type(exc).__name__
        if why and telling.tries <= len(DELAYS_S):
            delay_s = DELAYS_S[telling.tries - 1] * random.uniform(0.75, 1.25)  # noqa: S311
            telling.due = time.monotonic() + delay_s
            log.info("webhook_failed", job=short(job.id), reason=why, tries=telling.tries)
            return
        if why:
            log.warning("webhook_given_up", job=short(job.id), reason=why)
        try:
            await self._jobs.told(job.id)
        except StoreError as exc:
            log.warning("webhook_not_noted", error=str(exc))

    async def _post(self, job: Job) -> int:
        """Tell once; return the status of the answer."""
        url = urls.checked(job.options.webhook, self._allowed)
        body = body_of(job)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"livebot/{__version__}",
            SIGNATURE: signature(self._secret, body, time.time()),
        }
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self._lookup(), self._allowed),
            use_dns_cache=False,
            force_close=True,
        )
        async with (
            asyncio.timeout(DEADLINE_S),
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers=headers,
            ) as session,
            session.post(url, data=body, allow_redirects=False) as answer,
        ):
            # What else there is to the answer does not matter, and is not read.
            return answer.status
