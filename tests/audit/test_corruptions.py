"""Whatever is spoilt, the audit sees it, and says which promise is broken."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from meterai.plumbing.db.database import Database
from tests.audit.conftest import Spoilt
from tests.audit.corruptions import CORRUPTIONS, Corruption
from tests.audit.quiet_harm import HARM
from tests.support.audits import INVARIANTS, audit
from tests.support.history import History

ALL = frozenset(one.name for one in INVARIANTS)


def broken(spoilt: Spoilt, names: Collection[str] = ALL) -> dict[str, Any]:
    asked = [one for one in INVARIANTS if one.name in names]
    found = asyncio.run(audit(cast(Database, spoilt), asked))
    return {one.invariant.name: one.evidence for one in found.findings if not one.holds}


def test_an_honest_history_holds(history: History, spoilt: Spoilt) -> None:
    assert broken(spoilt) == {}


def test_the_history_has_every_state(history: History) -> None:
    for table in ("orders", "payment_attempts", "stampings", "refunds", "stamps"):
        rows = history.shop.rows(
            "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND conname LIKE %s",
            table,
            "%state%",
        )
        for row in history.shop.rows(f"SELECT DISTINCT state FROM {table}"):
            rows = [{"text": one["text"].replace(f"'{row['state']}'", "")} for one in rows]
        assert rows


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
def test_a_corruption_is_seen(history: History, spoilt: Spoilt, corruption: Corruption) -> None:
    spoilt.plant(corruption.sql, history.names)
    missing = corruption.seen_by - set(broken(spoilt, corruption.seen_by))
    assert not missing


def test_every_invariant_sees_something() -> None:
    seen = frozenset().union(*(one.seen_by for one in (*CORRUPTIONS, *HARM)))
    assert {one.name for one in INVARIANTS} - seen == set()


def test_there_are_enough() -> None:
    names = [one.name for one in CORRUPTIONS]
    assert len(set(names)) == len(names) >= 100
