"""How one session is to be (pure)."""

from dataclasses import dataclass, field

from livebot.live.options import LiveOptions
from livebot.live.remembered import Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one session is to be.

    Attributes:
        id: Its name.
        options: What the client declared.
        language: What is spoken, as the engine knows it.
        chunk_ms: Length of what the engine gets at once.
        backlog_s: Audio kept while the engine cannot take it.
        replay_s: Audio kept after it took it.
        idle_s: After how long without a sign the client is taken for gone.
        resume_s: For how long the session waits for it.
        left: Where it was left before a restart; None where it is new.
    """

    id: str
    options: LiveOptions
    language: str
    chunk_ms: int
    backlog_s: float
    replay_s: float
    idle_s: float
    resume_s: float
    left: Left | None = field(default=None, repr=False)
