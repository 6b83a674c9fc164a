"""What every suite in this world needs; a `conftest.py` imports it."""

from collections.abc import Iterator

import pytest

from tests.system.world.namespace import private_network
from tests.system.world.packages import require


@pytest.fixture(scope="session", autouse=True)
def network() -> Iterator[None]:
    """Keep every socket of these tests, and of all they start, in a network of their own."""
    require()
    with private_network():
        yield
