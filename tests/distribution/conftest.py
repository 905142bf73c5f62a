"""A distributor in a shop whose bank never answers."""

import pytest

from tests.support.depot import SELLER, UNIT, Depot
from tests.support.shop import FEE, PRICE, Shop


@pytest.fixture
def depot(shop: Shop) -> Depot:
    """A distributor that has no deposit yet."""
    found = Depot(shop)
    found.approve()
    return found


__all__ = ["FEE", "PRICE", "SELLER", "UNIT", "Depot"]
