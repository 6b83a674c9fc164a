"""What is kept: jobs, transcripts, links, and what live sessions have said lately. SQL."""

from livebot.store.store import Store

__all__ = ["Store"]
