"""What a scenario is, and what is seen in one."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.account import Account
from tests.system.world.bot import Bot
from tests.system.world.browser_visitor import BrowserVisitor
from tests.system.world.hpb import Hpb
from tests.system.world.turn import IceServer
from tests.system.world.visitor import Visitor

_AT_LEAST_S = 8.0
"""Long enough for Bob to say something, however short the fault."""

_NEAR = 4
"""Words of one caption have the same delay, and captions are cut elsewhere each time."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a call of one scenario stands on.

    Attributes:
        hpb: Where people are.
        settings: What is set for the bot beside the usual.
        turn_servers: What the bot is told to use.
        strike: Lets the fault happen; returns when it is over.
        has_browser: Whether Alice comes with Chromium.
    """

    hpb: Hpb
    strike: Callable[["Call"], Awaitable[None]]
    settings: Mapping[str, str] = field(default_factory=dict)
    turn_servers: tuple[IceServer, ...] = ()
    has_browser: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """The call of one scenario."""

    bot: Bot
    reader: Visitor
    alice: Visitor | BrowserVisitor
    bob: Visitor


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault and what must hold.

    Attributes:
        name: Its id.
        fault: What happens, for people.
        ground: Builds what it stands on, in a folder of its own, beside the shared backend.
        loses_nothing: Whether not a word may be lost, announced or not.
        spares_bob: Whether the fault is Alice's alone.
        is_reported: Whether the health check must say so.
        is_final: Whether the fault stays.
        after_s: How long people go on talking after it.
    """

    name: str
    fault: str
    ground: Callable[[Path, Hpb], AbstractAsyncContextManager[Ground]]
    loses_nothing: bool = False
    spares_bob: bool = False
    is_reported: bool = True
    is_final: bool = False
    after_s: float = 14.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one scenario.

    Attributes:
        struck: When the fault began and when it was over.
        accounts: Each person's words.
        gap_s: By how much the bot's counters of lost audio rose, by cause.
        reasons: What its health check said meanwhile.
        last_reasons: What it said at the end.
        left: What the bot kept when the call was over.
        machine_late_s: How late the suite itself was at worst.
        log: The bot's.
    """

    struck: tuple[float, float]
    accounts: Mapping[str, Account]
    gap_s: Mapping[str, float]
    reasons: tuple[str, ...]
    last_reasons: tuple[str, ...]
    left: str
    machine_late_s: float
    log: Path

    @property
    def recovered_s(self) -> float | None:
        """Return how long after the fault new words were shown of everybody it had hit."""
        over = self.struck[1]
        firsts = [
            min((word.at + word.late_s for word in who.delays if word.at > over), default=None)
            for who in self.accounts.values()
        ]
        known = [first for first in firsts if first is not None]
        return max(known) - over if len(known) == len(firsts) else None

    def bobs_extra_delay_s(self, calm: "Seen | None") -> float | None:
        """Return how much later Bob's words came during the fault than otherwise, at worst.

        Args:
            calm: The same call without a fault: there each word has a delay of its own. What
                came before the fault is always compared with.
        """
        began, over = self.struck
        over = max(over, began + _AT_LEAST_S)
        delays = self.accounts["bob"].delays
        before = [word.late_s for word in delays if word.at < began]
        usual = max(before, default=0.0)
        extra = [
            word.late_s - max(usual, calm.bobs_delay_near(word.index) if calm else 0.0)
            for word in delays
            if began <= word.at <= over
        ]
        return max(extra, default=None)

    def bobs_delay_near(self, index: int) -> float:
        """Return the longest delay of Bob's words around the one with this number."""
        near = [w.late_s for w in self.accounts["bob"].delays if abs(w.index - index) <= _NEAR]
        return max(near, default=0.0)
