"""The audit finds every corruption, and names the broken invariants."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, cast

import pytest

from meterai.apps.rooms import ROOMS
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Invariant
from tests.audit.conftest import Spoilt
from tests.support.audits import INVARIANTS, audit
from tests.support.corrupting import Corruption, corruptions
from tests.support.history import History

CORRUPTIONS = corruptions()
ALL = frozenset(one.name for one in INVARIANTS)


def broken(spoilt: Spoilt, names: Collection[str] = ALL) -> dict[str, Any]:
    return broken_of(spoilt, [one for one in INVARIANTS if one.name in names])


def broken_of(spoilt: Spoilt, asked: Sequence[Invariant]) -> dict[str, Any]:
    found = asyncio.run(audit(cast(Database, spoilt), asked))
    return {one.invariant.name: one.evidence for one in found.findings if not one.holds}


def test_honest_history_holds(history: History, spoilt: Spoilt) -> None:
    assert broken(spoilt) == {}


def test_history_has_every_state(history: History) -> None:
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
def test_corruption_is_found(history: History, spoilt: Spoilt, corruption: Corruption) -> None:
    spoilt.plant(corruption.sql, history.names)
    assert broken(spoilt, corruption.seen_by or ALL).keys() == corruption.seen_by


def test_every_invariant_finds_a_corruption() -> None:
    seen = frozenset().union(*(one.seen_by for one in CORRUPTIONS))
    rooms = {one.name: room.name for room in ROOMS for one in room.invariants}
    blind = ALL - seen
    assert not [f"tests/{rooms.get(one, 'audit')}/corruptions.py: what {one} sees" for one in blind]


def test_number_of_corruptions_is_sufficient() -> None:
    names = [one.name for one in CORRUPTIONS]
    assert len(set(names)) == len(names)


def test_nearly_every_corruption_is_seen() -> None:
    unseen = [one.name for one in CORRUPTIONS if one.unseen]
    assert len(unseen) <= 0.01 * len(CORRUPTIONS)
