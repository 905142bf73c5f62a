"""A shop for every test of the books."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shop import Shop, open_shop


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """An account, a worker's effects, and no outside world."""
    with open_shop(database_url, tmp_path) as opened:
        yield opened
