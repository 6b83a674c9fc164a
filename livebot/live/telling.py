"""What is understood of one session becomes events of its feed."""

from collections.abc import Callable, Iterable
from dataclasses import replace as replace_word
from itertools import count

from msgspec.structs import replace

from livebot.captions.gap import Gap as Loss
from livebot.feeds.assembly import Assembly
from livebot.feeds.events import Final, Gap, Interim, Notice, Speaker
from livebot.feeds.feed import Feed
from livebot.live.arrivals import Arrivals
from livebot.metrics import Metrics
from livebot.stt.engine import SttEvent, Word

_DIGITS = 3
"""Times are told in milliseconds."""


class Telling:
    """One session's words on their way to its readers.

    Args:
        feed: Where they go.
        assembly: Called with what gives out names, to make utterances of words.
        interim: Whether what is not complete is told.
        speaker: Who speaks.
        metrics: What is counted.
        on_told: Called with each final and gap; must not block.

    Attributes:
        arrivals: When the audio came.
    """

    def __init__(
        self,
        feed: Feed,
        assembly: Callable[[Callable[[], str]], Assembly],
        *,
        interim: bool,
        speaker: Speaker,
        metrics: Metrics,
        on_told: Callable[[Final | Gap], None] = lambda _: None,
    ) -> None:
        self.arrivals = Arrivals()
        self._feed = feed
        # No name is used twice, restarts included: there are fewer names than events.
        self._numbers = count(feed.seq + 1)
        self._assembly = assembly(lambda: f"u{next(self._numbers)}")
        self._interim = interim
        self._speaker = speaker
        self._metrics = metrics
        self._on_told = on_told
        self._losses: dict[str, str] = {}
        self._span: tuple[float, float] | None = None
        self._last = feed.seq

    @property
    def next_deadline(self) -> float | None:
        """Return when `tick()` should be called."""
        return self._assembly.next_deadline

    def heard(self, event: SttEvent, now: float, sent_until: float) -> None:
        """Take in what an engine understood, of audio up to `sent_until`."""
        if isinstance(event, Word):
            if event.end is None:
                self._span = (self._span[0] if self._span else sent_until), sent_until
            event = replace_word(event, start=_rounded(event.start), end=_rounded(event.end))
        self._publish(self._assembly.feed(event, now), now)

    def tick(self, now: float) -> None:
        """Tell what is due."""
        self._publish(self._assembly.tick(now), now)

    def complete(self, now: float) -> None:
        """Tell all words so far as complete."""
        self._publish(self._assembly.finish(), now)

    async def released(self) -> None:
        """Wait until readers may have all finals and gaps."""
        if self._last > self._feed.seq:
            await self._feed.read(self._last - 1)

    def lost(self, loss: Loss) -> None:
        """Tell of audio that no engine hears; again with the same name until it is over."""
        name = self._losses.pop(loss.cause, "") or self._name_of_gap()
        if loss.end is None:
            self._losses[loss.cause] = name
        else:
            self._metrics.gap_seconds.labels(str(loss.cause)).inc(loss.lost_s)
        self._tell(self._gap(name, str(loss.cause), loss.start, loss.end, loss.lost_s))

    def missing(self, cause: str, start: float, end: float) -> None:
        """Tell of a stretch of the time line whose audio never came."""
        self._metrics.gap_seconds.labels(cause).inc(end - start)
        self._tell(self._gap(self._name_of_gap(), cause, start, end, end - start))

    def notice(self, code: str, text: str) -> None:
        """Tell something else."""
        self._feed.publish(Notice(code, text))

    def take_back(self, interims: Iterable[Interim], gaps: Iterable[Gap], position: float) -> None:
        """End what was going on before a restart: nobody goes on with it."""
        for interim in interims:
            self._feed.publish(replace(interim, text="", stable=0))
        for gap in gaps:
            self._tell(replace(gap, end=max(gap.start, position)))

    def _publish(self, made: Iterable[Interim | Final], now: float) -> None:
        for event in made:
            if isinstance(event, Final):
                self._tell(self._complete(event, now))
            elif self._interim:
                self._feed.publish(event)

    def _tell(self, event: Final | Gap) -> None:
        self._last = self._feed.publish(event)
        self._on_told(event)

    def _complete(self, final: Final, now: float) -> Final:
        """Add how late it is, or about when it was said where an engine tells no times."""
        span, self._span = self._span, None
        if final.words[-1].end is None:
            start, end = span or (final.start, final.end)
            return replace(final, start=round(start, _DIGITS), end=round(end, _DIGITS))
        age = self.arrivals.age(final.end, now)
        if age is None:
            return final
        self._metrics.live_latency.observe(age)
        return replace(final, latency_ms=round(age * 1000))

    def _name_of_gap(self) -> str:
        return f"g{next(self._numbers)}"

    def _gap(self, name: str, cause: str, start: float, end: float | None, lost_s: float) -> Gap:
        ended = None if end is None else round(end, _DIGITS)
        start, lost_s = round(start, _DIGITS), round(lost_s, _DIGITS)
        return Gap(name, cause, start, ended, lost_s, self._speaker)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, _DIGITS)
