"""Fixtures of incidents: the application, and staff using it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from meterai.apps.web import build
from tests.console.conftest import Floor
from tests.support.walk_in import WalkIn
from tests.support.within import all_pages, settings_of


@pytest.fixture
def floor(database_url: str, tmp_path: Path) -> Iterator[Floor]:
    app = build(settings_of(database_url, tmp_path), site=all_pages())
    with TestClient(app) as client:
        yield Floor(WalkIn(client), database_url)
