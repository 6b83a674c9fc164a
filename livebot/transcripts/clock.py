"""Times as people and players write them (pure)."""


def stamp(milliseconds: int, *, decimal: str) -> str:
    """Return `00:00:01.500`, with the given sign before the milliseconds."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal}{rest:03}"


def short(seconds: float) -> str:
    """Return `0:01`, or `1:02:03` from the first hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
