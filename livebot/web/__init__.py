"""The page and its assets; served by `api/page.py` as they are."""
