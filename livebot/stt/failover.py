"""Several engines as one: streams go to the first that can be had.

One engine alone is served as well: while it is down, one stream at a time tries it, and the
others wait in `open()` until it is back.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from livebot.audio.pcm import Samples
from livebot.errors import EngineError, EngineUnavailableError
from livebot.metrics import Metrics
from livebot.stt.breaker import FIRST_S, MOST_S
from livebot.stt.engine import Capabilities, SttEngine, SttEvent, SttStream, Word
from livebot.stt.host.engine import HostedEngine
from livebot.stt.host.host import EngineHost
from livebot.stt.member import Member

FAILOVER_AFTER_S = 10.0
"""How long an engine may take to open a stream while there is another. Trying it also wakes it
up: once it is warm, new streams prefer it again."""

LAST_RESORT_S = 10.0
"""The longest rest of an engine that nobody can replace: audio is waiting, and a try is cheap."""


class Failover:
    """Opens streams at the first engine that can be had; an `SttEngine`.

    Args:
        engines: By name, in order of preference; not entered yet.
        metrics: What is counted.
    """

    def __init__(self, engines: Mapping[str, SttEngine], metrics: Metrics) -> None:
        last = len(engines) - 1
        self._changed = asyncio.Event()
        self._stack = AsyncExitStack()
        self._members = [
            Member(
                name,
                engine,
                most_s=LAST_RESORT_S if place == last else MOST_S,
                metrics=metrics,
                on_change=self._change,
            )
            for place, (name, engine) in enumerate(engines.items())
        ]

    @property
    def capabilities(self) -> Capabilities:
        """Say what the engines can do: all languages, and else what holds for each of them.

        Streams tell what holds for the engine they are of.
        """
        each = [member.engine.capabilities for member in self._members]
        sessions = [one.session_s for one in each if one.session_s is not None]
        return Capabilities(
            languages={
                code: name for one in reversed(each) for code, name in one.languages.items()
            },
            word_times=all(one.word_times for one in each),
            pauses=all(one.pauses for one in each),
            cold_start_s=each[0].cold_start_s,
            session_s=min(sessions, default=None),
            watched=all(one.watched for one in each),
            hears_language=all(one.hears_language for one in each),
        )

    @property
    def host(self) -> EngineHost | None:
        """Return the first engine host of the engines; None where none has models here."""
        engines = (member.engine for member in self._members)
        hosts = (engine.host for engine in engines if isinstance(engine, HostedEngine))
        return next((host for host in hosts if host is not None), None)

    async def __aenter__(self) -> Self:
        """Start the engines; one that cannot be is tried again later, as long as another can.

        Raises:
            EngineError: None can be started.
        """
        try:
            group = await self._stack.enter_async_context(asyncio.TaskGroup())
            for member in self._members:
                keeper = group.create_task(member.keep(), name=f"engine-{member.name}")
                self._stack.callback(keeper.cancel)
            for member in self._members:
                await member.tried.wait()  # an engine's start has its own deadlines
            self._check_started()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    def _check_started(self) -> None:
        faults = [member.fault for member in self._members if member.fault]
        if len(faults) == len(self._members):
            raise faults[0]

    async def __aexit__(self, *exc: object) -> None:
        """Stop them."""
        await self._stack.aclose()

    async def check(self) -> str:
        """Try each engine.

        Raises:
            EngineError: One does not work.
        """
        return "; ".join([await member.engine.check() for member in self._members])

    def troubles(self) -> list[str]:
        """Return what an operator should know about the engines; nothing where all is well."""
        found = [trouble for member in self._members for trouble in member.troubles()]
        if not found or self._members[0].fault is None:
            return found
        names = [member.name for member in self._members if member.fault is None]
        return [*found, f"using engine {names[0]}" if names else "no engine can be had"]

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream at the first engine that can be had.

        Raises:
            EngineError: No engine understands the language.
            EngineUnavailableError: None could be had within the time of a cold start.
        """
        async with AsyncExitStack() as stack:
            member, ticket, stream = await self._enter(stack, language)
            try:
                yield _Stream(stream, member)
            except BaseException as exc:
                member.over(ticket, exc)
                raise
            member.over(ticket, None)

    async def _enter(self, stack: AsyncExitStack, language: str) -> tuple[Member, int, SttStream]:
        members = [member for member in self._members if member.code(language) is not None]
        if not members:
            raise EngineError("no engine understands the language", retryable=False)
        patience_s = max(member.engine.capabilities.cold_start_s for member in members)
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            changed = self._changed
            for place, member in enumerate(members):
                others = any(other.can_be_had for other in members[place + 1 :])
                within_s = FAILOVER_AFTER_S if others else None
                if (ticket := member.enter()) is None:
                    continue
                try:
                    stream = await member.open(stack, ticket, language=language, within_s=within_s)
                except EngineError:
                    continue  # the member has noted it
                return member, ticket, stream
            await _wait(changed, members, deadline)

    def _change(self) -> None:
        """Let those look again who wait for an engine."""
        self._changed.set()
        self._changed = asyncio.Event()


async def _wait(changed: asyncio.Event, members: list[Member], deadline: float) -> None:
    """Wait until an engine may be tried.

    Raises:
        EngineUnavailableError: The deadline has passed, or none is down for a reason that passes.
    """
    now = asyncio.get_running_loop().time()
    rests = [rest_s for member in members if (rest_s := member.retry_in_s) is not None]
    faults = [member.fault for member in members if member.fault]
    is_refused = len(faults) == len(members) and not any(fault.retryable for fault in faults)
    if is_refused or now >= deadline:
        reasons = "; ".join(f"{member.name}: {member.fault}" for member in members)
        raise EngineUnavailableError(reasons, retry_in_s=max(FIRST_S, min(rests, default=0)))
    try:
        async with asyncio.timeout_at(min([deadline, *(now + rest_s for rest_s in rests)])):
            await changed.wait()
    except TimeoutError:
        pass


class _Stream:
    """A stream whose engine is told what it gives, and which tells of its engine.

    Args:
        stream: It.
        member: Its engine.
    """

    def __init__(self, stream: SttStream, member: Member) -> None:
        self._stream = stream
        self._member = member

    @property
    def capabilities(self) -> Capabilities:
        return self._member.engine.capabilities

    @property
    def is_understanding(self) -> bool:
        return self._member.is_understanding

    async def send(self, chunk: Samples) -> None:
        await self._stream.send(chunk)

    async def finish(self) -> None:
        await self._stream.finish()

    async def events(self) -> AsyncIterator[SttEvent]:
        is_first = True
        async for event in self._stream.events():
            if is_first:
                is_first = False
                self._member.works()
            if isinstance(event, Word):
                self._member.understood()
            yield event
