"""Captions on their way out of a room: the one writer behind the outbox.

A caption goes to those of its audience who are in the call when the socket takes it. While
we do not know who that is (no connection, or a new session that was not told yet) captions
wait.

What the server has not confirmed when a connection ends is sent again, in its order, to
who is in the call then. So no caption is lost with a connection; one that arrived within
the last round trip before its end may be seen twice.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

from livebot.captions import notice
from livebot.captions.caption import Caption, Mode
from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.history import History
from livebot.rooms.lanes import Sentence
from livebot.rooms.outbox import Outbox, Outgoing
from livebot.rooms.readers import Reader
from livebot.signaling.messages import UNSET, Transcript
from livebot.signaling.receipts import Receipt

IN_FLIGHT = 64
"""Captions that the server has not confirmed; more wait in the outbox. On a slow line they
still fit into the time that a confirmation may take."""

RETURN_S = 60.0
"""How long captions wait for people whom a restart of the server has put out of the call."""

GATHER_S = 5.0
"""How long they wait for the others once the first one is back: people come one by one."""

LOOK_EVERY_S = 0.2

MOST_IN_FLIGHT = 1000
"""What is sent to readers who come late counts here only: it goes to one of them each, and the
others are not to wait for it."""

COUNTED: Mode = "append"
"""Whose captions count when they are dropped: the other mode's, and translations, are the same
words once more."""


class Channel(Protocol):
    """What delivery asks of the signaling conversation."""

    def send_caption(self, readers: list[SessionId], caption: Transcript) -> Receipt:
        """Send a caption to each reader; the receipt tells what became of it.

        After a loss nothing can be sent until the room is entered again, and told so.
        """


class Delivery:
    """One room's captions.

    Args:
        channel: Where they go.
        readers: Asked at each caption: who reads now.
        clock: The room's time line.
        metrics: What is counted.
        notices: Whether readers are told of words that are lost.
        history_s: For how long captions are kept for readers who come late.
        heir: Asked for the session a speaker has now: clients show no others' captions.

    Attributes:
        told: Set while we know who is in the call; cleared by whoever notices a loss first.
        sent: Captions that have arrived.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        readers: Callable[[], list[Reader]],
        clock: RoomClock,
        metrics: Metrics,
        notices: bool = True,
        history_s: float = 0.0,
        heir: Callable[[SessionId], SessionId] = lambda session: session,
    ) -> None:
        self._channel = channel
        self._readers = readers
        self._clock = clock
        self._metrics = metrics
        self._notices = notices
        self._heir = heir
        self._board = notice.NoticeBoard()
        self._history = History(history_s)
        self._outbox = Outbox(self._on_dropped)
        self._dropped: dict[SessionId, tuple[Gap, str]] = {}
        self._in_flight: deque[tuple[Outgoing, Receipt]] = deque()
        self._expected = 0
        self._patient_until = 0.0
        self.told = asyncio.Event()
        self.sent = 0

    @property
    def waiting(self) -> int:
        """How many captions have not arrived."""
        return len(self._outbox) + len(self._in_flight)

    def put(self, item: Outgoing) -> None:
        """Take over a speaker's caption; never waits."""
        if isinstance(item.caption, Caption) or self._notices:
            self._outbox.put(item)

    def greet(self, reader: Reader, coming: Collection[Sentence] = ()) -> None:
        """Send somebody who begins to read what was said lately, before anything else.

        `coming` is what will come to them translated.
        """
        now = self._clock.now()
        self._outbox.put_back(self._history.missed_by(reader, now, coming=coming))

    def expect_return(self) -> None:
        """Note that everybody was put out of the call, and will be back as a new session.

        Until as many are as there were, captions wait for a while. Otherwise what is said to
        nobody is dropped: who comes later was not there to hear it. To be called while those
        of before are still known.
        """
        self._expected = len(self._readers()) or self._expected
        self._patient_until = self._clock.now() + RETURN_S

    def forget(self) -> None:
        """Greet nobody with what was said until now: from here on it is another room."""
        self._history.clear()

    @property
    def _is_full(self) -> bool:
        """Whether what is in flight is to arrive first."""
        count = sum(not item.history for item, _ in self._in_flight)
        return count >= IN_FLIGHT or len(self._in_flight) >= MOST_IN_FLIGHT

    def close(self) -> None:
        """Take no more captions; `run()` ends when those that wait have arrived."""
        self._outbox.close()

    async def run(self) -> None:
        """Send what waits, in order, until closed, empty and confirmed."""
        while True:
            if self._is_full:
                await asyncio.wait([self._in_flight[0][1].arrived])
            elif (item := await self._next()) is not None:
                await self._send(item)
            elif self._in_flight:
                await asyncio.wait([self._in_flight[-1][1].arrived])
            else:
                return

    async def _next(self) -> Outgoing | None:
        """Take what is next, once we know for whom; None when nothing is left to send."""
        while True:
            item = await self._outbox.get()
            if item is None:
                return None
            if not self.told.is_set():
                # What is in flight may come back meanwhile, and was before it.
                self._outbox.put_back([item])
                await self.told.wait()
            elif self._awaits_people():
                self._outbox.put_back([item])
                await asyncio.sleep(LOOK_EVERY_S)
            elif self._dropped:
                self._outbox.put_back([item])
                session, (gap, language) = self._dropped.popitem()
                return Outgoing(session, gap, language)
            else:
                return item

    def _awaits_people(self) -> bool:
        """Say whether some of those who were put out of the call may still come back."""
        now, readers = self._clock.now(), len(self._readers())
        if readers:
            self._patient_until = min(self._patient_until, now + GATHER_S)
        return now < self._patient_until and readers < max(1, self._expected)

    async def _send(self, item: Outgoing) -> None:
        transcript = _transcript(item, self._heir(item.session))
        if item.history and not self._history.knows(item):
            return
        readers = self._readers()
        self._history.note(item, readers, self._clock.now())
        sessions = [reader.session for reader in readers if reader in item.audience]
        if item.history and not sessions:
            self._history.unread(item)
        if isinstance(item.caption, Gap):
            sessions = self._board.readers(
                transcript.text, transcript.speaker, sessions, self._clock.now()
            )
        if not (transcript.text and sessions):
            return
        receipt = self._channel.send_caption(sessions, transcript)
        self._in_flight.append((item, receipt))
        receipt.arrived.add_done_callback(lambda _: self._settle())
        # A translation says how long translating takes, not what was heard when.
        is_news = (
            isinstance(item.caption, Caption) and item.audience.is_spoken and not item.history
        )
        if await receipt.taken and is_news and item.caption.end:
            self._metrics.latency.observe(max(0.0, self._clock.now() - item.caption.end))

    def _settle(self) -> None:
        """Count what has arrived, and take back what was lost with its connection."""
        lost = []
        while self._in_flight and self._in_flight[0][1].arrived.done():
            item, receipt = self._in_flight.popleft()
            if not receipt.arrived.result():
                lost.append(item)
            elif isinstance(item.caption, Caption):
                self._metrics.transcripts.labels(str(item.caption.final).lower()).inc()
                self.sent += 1
        if lost:
            self.told.clear()
            self._board.forget()
            self._history.lost(lost)
            self._outbox.put_back(lost)

    def _on_dropped(self, item: Outgoing) -> None:
        """Note words that nobody will read, and that this is to be told."""
        self._metrics.captions_dropped.inc()
        caption = item.caption
        if isinstance(caption, Gap) or not caption.final or item.history:
            return
        if item.audience.mode != COUNTED or caption.start is None or caption.end is None:
            return
        lost_s = caption.end - caption.start
        self._metrics.gap_seconds.labels(Cause.SIGNALING).inc(lost_s)
        if not self._notices:
            return
        begun = Gap(Cause.SIGNALING, caption.start, None, 0.0)
        gap, _ = self._dropped.get(item.session, (begun, item.language))
        gap = replace(gap, end=caption.end, lost_s=gap.lost_s + lost_s)
        self._dropped[item.session] = gap, item.language


def _transcript(item: Outgoing, speaker: SessionId) -> Transcript:
    """Write an item for the wire; without text where a gap is not worth telling."""
    caption = item.caption
    if isinstance(caption, Gap):
        text = notice.text(caption, item.language) or ""
        return Transcript(speaker, text, item.language, final=True)
    return Transcript(
        speaker=speaker,
        text=caption.text,
        language=item.language,
        final=caption.final,
        start=None if caption.start is None else round(caption.start, 3),
        end=None if caption.end is None else round(caption.end, 3),
        history=item.history or UNSET,
    )
