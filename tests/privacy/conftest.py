"""A shop whose account requests its own data."""

import pytest

from tests.privacy.person import Person
from tests.support.shop import Shop


@pytest.fixture
def person(shop: Shop) -> Person:
    """Return a person with an account."""
    return Person(shop)
