"""Fixtures of incidents: the application, and staff using it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.conftest import Floor
from tests.support.walk_in import WalkIn
from tests.support.within import browsed, settings_of


@pytest.fixture
def floor(database_url: str, tmp_path: Path) -> Iterator[Floor]:
    with browsed(settings_of(database_url, tmp_path)) as client:
        yield Floor(WalkIn(client), database_url)
