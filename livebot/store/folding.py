"""Text made fit to be kept and to be found (pure)."""

import unicodedata


def clean(text: str) -> str:
    """Return a text that every database takes: without NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def folded(text: str) -> str:
    """Return a text as it is searched: any case, any way to write an accent, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", clean(text)).casefold().split())
