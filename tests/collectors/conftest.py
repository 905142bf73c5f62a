"""A collector in a shop whose bank never answers."""

import pytest

from tests.support.collecting import LIMIT, Collecting
from tests.support.shop import PRICE, Shop


@pytest.fixture
def collecting(shop: Shop) -> Collecting:
    """A collector that has drawn nothing."""
    found = Collecting(shop)
    found.approve()
    return found


__all__ = ["LIMIT", "PRICE", "Collecting"]
