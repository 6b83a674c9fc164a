"""Final captions of one room on their way into the languages that its readers want.

Of what is put, everything comes out, once per target language and in its order, also where
a translation fails, is late or is not tried: then in the words that were spoken. Several
texts are translated at a time, and one that is ready waits for those before it.

Policy: too much waits already: the newest is not translated. Waited too long: not translated.
While the translator rests because it failed, nothing is held up: captions come out at once,
and one of them is now and then translated for nobody, to see whether it works again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from enum import StrEnum

from livebot.captions.caption import Caption
from livebot.errors import TranslationError, TranslationUnavailableError
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.lanes import Item, Lanes, Sentence, sentence
from livebot.translator import Translator

TRANSLATE_WITHIN_S = 10.0
"""What was said longer ago goes out untranslated: its readers have waited enough."""

LEAST_S = 1.0
"""With less time left than this a translation is not begun."""

AT_ONCE = 8
"""So many texts of a room are translated at the same time."""

MOST_WAITING = 32
"""So many texts of a room wait for that. Where more do, they would be late anyway."""

FAILURES = 3
"""So many in a row, with no success between them, and the translator rests."""

REST_S = 30.0


class Outcome(StrEnum):
    """What became of a text, as the metrics name it."""

    TRANSLATED = "translated"
    FAILED = "failed"
    LATE = "late"
    REFUSED = "refused"


class Rest:
    """Whether a translator is relied upon: not for a while after it has failed (pure)."""

    def __init__(self) -> None:
        self._failures = 0
        self._until: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether nobody waits for a translation; ends with the first success."""
        return self._until is not None

    def may_try(self, now: float) -> bool:
        """Say whether it is time to see if the translator works again; True once per rest."""
        if self._until is None or now < self._until:
            return False
        self._until = now + REST_S
        return True

    def worked(self) -> None:
        """Note a success: all is forgiven."""
        self._failures, self._until = 0, None

    def failed(self, now: float, *, is_hopeless: bool) -> None:
        """Note a failure.

        Args:
            now: Monotonic seconds.
            is_hopeless: Whether the next text would fail, too.
        """
        self._failures += 1
        if is_hopeless or self._failures >= FAILURES:
            self._until = now + REST_S


class Translations:
    """Final captions of one room into the languages that its readers want.

    Args:
        translator: None where nothing is translated.
        targets: Asked at each caption: the languages wanted now.
        on_done: Called with the speaker, the caption, the language it was wanted in and the
            one it is in; must not put.
        metrics: What is counted.
    """

    def __init__(
        self,
        translator: Translator | None,
        *,
        targets: Callable[[], Collection[str]],
        on_done: Callable[[SessionId, Caption, str, str], None],
        metrics: Metrics,
    ) -> None:
        self._translator = translator
        self._targets = targets
        self._on_done = on_done
        self._metrics = metrics
        self._lanes = Lanes()
        self._rest = Rest()
        self._waiting: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._is_closed = False

    def put(self, session: SessionId, caption: Caption, origin: str) -> None:
        """Take over a final caption; never waits. Once closed it comes out untranslated."""
        deadline = _now() + TRANSLATE_WITHIN_S
        for target in dict.fromkeys(self._targets()):
            item = Item(session, caption, origin, target, deadline)
            if base(origin) == base(target):
                item.settle()
            else:
                self._ask(item)
            if (oldest := self._lanes.add(item)) is not None:
                self._settle(oldest, Outcome.LATE)
            self._let_out(target)

    def coming(self, target: str | None) -> frozenset[Sentence]:
        """Return what will come out in a language soon."""
        return frozenset(sentence(item.session, item.caption) for item in self._lanes.of(target))

    def close(self) -> None:
        """Take nothing more to translate; `run()` ends when what waits has come out."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Translate what is put, until closed and empty; cancelled, all comes out as it is."""
        free = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await free.acquire()
                    item = await self._next()
                    if item is None:
                        return
                    task = group.create_task(self._translate(item), name="translate")
                    task.add_done_callback(lambda _: free.release())
        finally:
            self._is_closed = True
            self._give_up()

    def _ask(self, item: Item) -> None:
        """Let an item be translated, or settle it untranslated."""
        is_possible = self._translator is not None and not self._is_closed
        if not is_possible or len(self._waiting) >= MOST_WAITING:
            self._settle(item, Outcome.REFUSED)
            return
        if self._rest.is_on:
            self._settle(item, Outcome.REFUSED)
            if not self._rest.may_try(_now()):
                return
        self._waiting.append(item)
        self._wake.set()

    async def _next(self) -> Item | None:
        """Take what has waited longest; None once closed and empty."""
        while not self._waiting:
            if self._is_closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()

    async def _translate(self, item: Item) -> None:
        if item.deadline - _now() < LEAST_S:
            self._settle(item, Outcome.LATE)
        else:
            await self._try(item)
        self._let_out(item.target)

    async def _try(self, item: Item) -> None:
        try:
            text = await self._text(item)
        except TimeoutError:
            self._settle(item, Outcome.LATE)
            self._failed(is_hopeless=False)
        except TranslationError as exc:
            self._settle(item, Outcome.FAILED)
            self._failed(is_hopeless=isinstance(exc, TranslationUnavailableError))
        else:
            self._rest.worked()
            self._settle(item, Outcome.TRANSLATED, text)

    async def _text(self, item: Item) -> str:
        """Return the translation, which is never empty.

        Raises:
            TimeoutError: It took too long.
            TranslationError: There is none.
        """
        assert self._translator is not None  # noqa: S101 - else nothing waits
        async with asyncio.timeout_at(item.deadline):
            text = await self._translator.translate(
                item.caption.text, origin=item.origin, target=item.target
            )
        if not (text := text.strip()):
            raise TranslationError("the translation is empty")
        return text

    def _failed(self, *, is_hopeless: bool) -> None:
        """Note a failure; where the translator rests now, nothing waits for it any longer."""
        self._rest.failed(_now(), is_hopeless=is_hopeless)
        if self._rest.is_on:
            self._give_up()

    def _give_up(self) -> None:
        """Let everything out as it was spoken."""
        self._waiting.clear()
        for item in self._lanes.all():
            self._settle(item, Outcome.REFUSED)
        for target in {item.target for item in self._lanes.all()}:
            self._let_out(target)

    def _settle(self, item: Item, outcome: Outcome, text: str = "") -> None:
        if not item.is_settled:
            self._metrics.translations.labels(outcome).inc()
            item.settle(text)

    def _let_out(self, target: str) -> None:
        for item in self._lanes.leave(target):
            caption, language = item.result
            self._on_done(item.session, caption, item.target, language)


def _now() -> float:
    return asyncio.get_running_loop().time()


def base(language: str) -> str:
    """Return the language without its region: `pt` for `pt-BR` and `pt_BR`."""
    return language.replace("_", "-").partition("-")[0].lower()
