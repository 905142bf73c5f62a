"""A shop whose account can complain."""

import pytest

from tests.cases.desk import Desk
from tests.support.shop import Shop


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """Somebody who complains about orders of a shop, and staff who answer."""
    return Desk(shop)
