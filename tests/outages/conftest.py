"""A shop with watchers that write signed readings into folders, and staff who make records of them."""

from pathlib import Path

import pytest

from tests.support.outages import Keeping
from tests.support.shop import Shop


@pytest.fixture
def keeping(shop: Shop, tmp_path: Path) -> Keeping:
    """Return the outage records of a shop."""
    return Keeping(shop, tmp_path / "watchers")
