"""A shop whose account asks about its own data."""

import pytest

from tests.privacy.person import Person
from tests.support.shop import Shop


@pytest.fixture
def person(shop: Shop) -> Person:
    """Somebody with an account."""
    return Person(shop)
