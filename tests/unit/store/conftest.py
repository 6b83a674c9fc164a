"""Each test of the store runs on SQLite and on a real PostgreSQL."""

from tests.support.stores import postgres_server, store, url

__all__ = ["postgres_server", "store", "url"]
