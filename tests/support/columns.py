"""Columns of the schema as the audit knows them: facts, shown columns, and columns that invariants read."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from meterai.plumbing.db.audited import Audited
from tests.support.audits import AUDITED

Column = tuple[str, str]  # table, column
_SCHEMA = Path(__file__).parents[2] / "migrations" / "schema.toml"
COLUMNS: frozenset[Column] = frozenset(
    (table, column)
    for table, _, column in (
        name.partition(".") for name in tomllib.loads(_SCHEMA.read_text())["column"]
    )
)


def facts_of(audited: Audited) -> frozenset[Column]:
    """Columns that are part of a fact."""
    return frozenset((fact.table, column) for fact in audited.facts for column in fact.columns)


def reasons_of(audited: Audited) -> Iterator[tuple[Column, str]]:
    """Each shown column with its reason."""
    facts = facts_of(audited)
    for table, told in audited.shown.items():
        if isinstance(told, Mapping):
            yield from (((table, one), why) for why, names in told.items() for one in names.split())
        else:
            left = (one for one in COLUMNS - facts if one[0] == table)
            yield from ((one, told) for one in left)


FACTS = facts_of(AUDITED)
SHOWN = frozenset(column for column, _ in reasons_of(AUDITED))
CHECKED = COLUMNS - FACTS - SHOWN
