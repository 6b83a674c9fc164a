"""Language codes: which of those that are known is meant by the one that is asked for."""

from collections.abc import Iterable

AUTO = "auto"
"""In place of a code: the engine finds out by itself what is spoken."""


def match(wanted: str, known: Iterable[str]) -> str | None:
    """Return the known code that serves a wanted one; None where there is none.

    The same one, or the nearest that is more general: `pt-BR` is served by `pt`, and `pt` is
    not by `pt-BR` (RFC 4647, section 3.4). Case does not matter, and `_` is `-`.
    """
    codes = {_plain(code): code for code in reversed(list(known))}
    parts = _plain(wanted).split("-")
    return next(
        (
            codes[code]
            for size in range(len(parts), 0, -1)
            if (code := "-".join(parts[:size])) in codes
        ),
        None,
    )


def _plain(code: str) -> str:
    return code.lower().replace("_", "-")
