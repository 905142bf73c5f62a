"""Hidden work, and marks without evidence, are found by an audit without a point to compare with."""

import re

import pytest

from meterai.plumbing.db.sql_files import described
from tests.audit.conftest import Spoilt
from tests.audit.corruptions import Corruption
from tests.audit.quiet_harm import HARM, NOT_SEEN
from tests.audit.test_corruptions import ALL, broken
from tests.support.audits import AUDITED
from tests.support.history import History


@pytest.mark.parametrize("harm", HARM, ids=lambda one: one.name)
def test_quiet_harm_is_found_or_has_its_reason(
    history: History, spoilt: Spoilt, harm: Corruption
) -> None:
    spoilt.plant(harm.sql, history.names)
    assert broken(spoilt, harm.seen_by or ALL).keys() == harm.seen_by


def test_nearly_all_quiet_harm_is_found() -> None:
    names = {one.name for one in HARM}
    assert len(names) == len(HARM) >= 100
    assert {one.name for one in HARM if not one.seen_by} == NOT_SEEN.keys()
    assert len(HARM) - len(NOT_SEEN) >= 0.92 * len(HARM)


def test_scheduling_column_is_registered_as_a_clock() -> None:
    times = [
        name
        for (kind, name), text in described().items()
        if kind == "column" and "with time zone" in text
    ]
    ahead = re.compile(
        r"[._](due_at|try_at|look_at|ask_at|run_at|acts_at|turn_at|leased_until|held_until|(expires|lapses|closes|opens)_at)$"
    )
    clocks = {f"{one.table}.{one.column}" for one in AUDITED.clocks}
    assert not {name for name in times if ahead.search(name)} - clocks
