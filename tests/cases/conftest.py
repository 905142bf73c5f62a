"""A shop whose account sends complaints."""

import pytest

from tests.cases.desk import Desk
from tests.support.shop import Shop


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """Return a complaining account of a shop, and staff who answer."""
    return Desk(shop)
