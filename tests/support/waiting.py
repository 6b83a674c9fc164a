"""Wait for what nobody tells: ask again until it is so, or fail at a deadline."""

import asyncio
from collections.abc import Callable

ASK_EVERY_S = 0.02


async def until(is_so: Callable[[], object], deadline_s: float = 10.0) -> None:
    """Return once `is_so()` is true.

    Raises:
        TimeoutError: It was not, by the deadline.
    """
    async with asyncio.timeout(deadline_s):
        while not is_so():  # noqa: ASYNC110 - the thing waited for has no event
            await asyncio.sleep(ASK_EVERY_S)
