"""What is said in a call: told to who reads along, and kept where that is wanted.

Beside the captions, never in their way: nothing here waits, and one timer serves all speakers.
"""

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Self

from livebot.captions.gap import Gap
from livebot.errors import NotFoundError
from livebot.feeds.directory import Feeds, room_feed
from livebot.feeds.feed import Feed
from livebot.ids import RoomToken, SessionId
from livebot.rooms.account import Account
from livebot.rooms.archive import Archive
from livebot.rooms.clock import RoomClock
from livebot.rooms.keeping import NOTHING, Erasure, Kept
from livebot.rooms.people import People
from livebot.rooms.voice import Voice
from livebot.signaling.events import SignalingEvent
from livebot.store.records import Kind, TranscriptHead

EARLY_S = 0.001

ANY_LANGUAGE = "auto"
"""By this engines are told to find out what is spoken; nobody tells us what they found."""


@dataclass(frozen=True, slots=True)
class ScribeOptions:
    """What is told and kept of a room.

    Attributes:
        backend: The Nextcloud's name here.
        owner: The name of the key that asked for the room.
        language: What is spoken, to begin with.
        model: What recognises it; empty where nobody knows.
        kept: What is kept.
    """

    backend: str
    language: str
    owner: str = ""
    model: str = ""
    kept: Kept = NOTHING


class Scribe:
    """One call's words; to be entered while the room is served.

    Args:
        room: Which call.
        options: What is told and kept.
        clock: The room's time line.
        feeds: Where readers look for it.
        archive: Where it is kept; None for nowhere.
        tells_pauses: Whether the engine does.
    """

    def __init__(
        self,
        room: RoomToken,
        options: ScribeOptions,
        *,
        clock: RoomClock,
        feeds: Feeds,
        archive: Archive | None,
        tells_pauses: bool,
    ) -> None:
        self._home = self._here = room
        self._options = options
        self._clock = clock
        self._feeds = feeds
        self._archive = archive
        self._tells_pauses = tells_pauses
        self._kept = options.kept
        self._language = _known(options.language)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._stack = ExitStack()
        self._accounts: dict[RoomToken, Account] = {}
        self._voices: dict[SessionId, Voice] = {}
        self._last: set[Voice] = set()  # those whose last words are due
        self.people = People()

    def __enter__(self) -> Self:
        """Let readers find the call, and begin its transcript."""
        self._account()
        return self

    def __exit__(self, *exc: object) -> None:
        """End what is told and kept."""
        for voice in [*self._voices.values(), *self._last]:
            voice.finish()
        if self._timer:
            self._timer.cancel()
        for account in self._accounts.values():
            account.end(self._language)
        self._stack.close()

    # What the room notices.

    def apply(self, event: SignalingEvent) -> None:
        """Note who is there."""
        self.people.apply(event)

    def moved(self, room: RoomToken) -> None:
        """Note that the call goes on in another room: what is said there is told there."""
        self._here = room
        self._account()

    def voice(self, session: SessionId) -> Voice:
        """Listen to somebody; what they say belongs to the room where they began to."""
        if before := self._voices.get(session):
            self._last.add(before)
        self._voices[session] = voice = self._voice(session)
        return voice

    def missed(self, session: SessionId, gap: Gap) -> None:
        """Note that words of somebody are missing."""
        (self._voices.get(session) or self._voice(session)).missed(gap)

    def set_language(self, language: str) -> None:
        """Note what is spoken from now on."""
        self._language = _known(language)
        for voice in self._voices.values():
            voice.set_language(self._language)

    # What is kept.

    def keep(self, kept: Kept) -> None:
        """Keep this from now on; what was kept before stays."""
        self._kept = kept
        for voice in [*self._voices.values(), *self._last]:
            voice.cut()
        for account in self._accounts.values():
            account.keep(self._of(account.room), self._language)

    def forget(self, erasure: Erasure) -> None:
        """Take back what was said by a person, or in a room, or is in a transcript."""
        gone = {id(each) for each in self._accounts.values() if each.forget(erasure)}
        for voice in [*self._voices.values(), *self._last]:
            if id(voice.account) in gone or voice.person == erasure.person != "":
                voice.forget()

    def _voice(self, session: SessionId) -> Voice:
        return Voice(
            session,
            self._account(),
            people=self.people,
            clock=self._clock,
            language=self._language,
            tells_pauses=self._tells_pauses,
            on_change=self._changed,
        )

    def _account(self) -> Account:
        """Return the account of where the call is."""
        if self._here not in self._accounts:
            options = self._options
            account = Account(
                self._here,
                self._feed(room_feed(options.backend, self._here)),
                self._archive,
                head=TranscriptHead(
                    id="",
                    kind=Kind.CALL,
                    owner=options.owner,
                    backend=options.backend,
                    model=options.model,
                ),
                clock=self._clock,
                people=self.people,
            )
            self._accounts[self._here] = account
            account.keep(self._of(self._here), self._language)
        return self._accounts[self._here]

    def _feed(self, name: str) -> Feed:
        """Return a new feed, for readers to be found; unless a room of that name is served."""
        feed = Feed(name, epoch=time.time() - self._clock.now())
        try:
            self._feeds.get(name)
        except NotFoundError:
            return self._stack.enter_context(self._feeds.listed(feed))
        self._stack.callback(feed.close)
        return feed

    def _of(self, room: RoomToken) -> Kept:
        """Return what is kept of a room: audio only of the one that people agreed for."""
        return self._kept if room == self._home else replace(self._kept, audio=False)

    # Time.

    def _changed(self, voice: Voice) -> None:
        if voice.is_finished:
            self._last.discard(voice)
            if self._voices.get(voice.session) is voice:
                del self._voices[voice.session]
            return
        if voice.deadline is not None:
            self._wake_at(voice.deadline)

    def _wake_at(self, deadline: float) -> None:
        at = self._loop.time() + max(0.0, deadline - self._clock.now())
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        # Timers are early by less than this: nobody is to be woken again for nothing.
        now = self._clock.now() + EARLY_S
        for voice in [*self._voices.values(), *self._last]:
            if voice.deadline is not None and voice.deadline <= now:
                voice.tick(now)
            elif voice.deadline is not None:
                self._wake_at(voice.deadline)


def _known(language: str) -> str:
    """Return a language, or nothing where it is to be found out."""
    return "" if language == ANY_LANGUAGE else language
