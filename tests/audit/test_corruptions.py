"""The audit finds every corruption, and names the broken invariants."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, cast

import pytest

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


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
def test_corruption_is_found(history: History, spoilt: Spoilt, corruption: Corruption) -> None:
    spoilt.plant(corruption.sql, history.names)
    assert broken(spoilt, corruption.seen_by or ALL).keys() == corruption.seen_by
