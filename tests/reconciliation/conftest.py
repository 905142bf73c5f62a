"""A till without staff of earlier tests: the trail of appointments is emptied before each test."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from meterai.reconciliation import sides
from tests.support.till import Till


@pytest.fixture(autouse=True)
def whole_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment made in the last minutes of a day counts for that day, so that a test may run then."""
    monkeypatch.setattr(sides, "FRESH", timedelta(0))


@pytest.fixture
def till(open_one: Till) -> Iterator[Till]:
    """An account without orders and a bank without faults; afterwards every invariant holds."""
    open_one.clear()
    yield open_one
    try:
        open_one.assert_books_hold()
    finally:
        for table in ("sessions", "passkeys"):
            open_one.shop.arrange(
                f"DELETE FROM {table} WHERE account_id IN (SELECT account_id FROM staff_roles)"
            )
        open_one.shop.arrange("DELETE FROM staff_roles")
        open_one.shop.arrange("DELETE FROM approvals")
