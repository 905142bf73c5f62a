"""Every table with personal data is copied and erased by a room, or has a reason why not."""

import tomllib
from collections import defaultdict

from meterai.apps.rooms import offers_of, owners_of_tables
from meterai.plumbing.db.personal import OF_PLUMBING
from meterai.plumbing.db.tables import TABLES
from meterai.room import Rooms
from tests.tidy.sources import ROOT

OFFERS = offers_of().personal
# Columns that link a row to a person, or that may contain an address or a payer.
PERSONS = {
    *("account_id", "accounts", "owner_id", "member_id", "used_by", "staff_id", "requested_by"),
    *("email", "recipient", "contact", "network", "body", "told"),
}
SCHEMA = tomllib.loads((ROOT / "migrations" / "schema.toml").read_text())["column"]


def columns() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name in SCHEMA:
        table, _, column = name.partition(".")
        found[table].add(column)
    return found


HELD = {one.table: one for personal in OFFERS.values() for one in personal.tables}
NOBODYS = {table: why for personal in OFFERS.values() for table, why in personal.nobodys.items()}


def test_every_personal_table_is_declared_or_has_a_reason_why_not() -> None:
    of_persons = {table for table, names in columns().items() if names & PERSONS}
    assert of_persons - HELD.keys() - NOBODYS.keys() == set(), (
        "name it in `personal.py` of its room"
    )
    assert NOBODYS.keys() - of_persons == set(), "nothing of a person is in it"
    assert not HELD.keys() & NOBODYS.keys()
    assert all(NOBODYS.values())


def test_personal_table_is_declared_by_its_owner(rooms: Rooms) -> None:
    owners = owners_of_tables(rooms)
    for room in rooms:
        if room.personal is not None:
            named = [one.table for one in room.personal.tables] + [*room.personal.nobodys]
            assert {owners[table] for table in named} <= {room.name}, room.name
    assert {one.table for one in OF_PLUMBING.tables} | OF_PLUMBING.nobodys.keys() <= TABLES


def test_each_personal_column_is_copied_or_has_another_class() -> None:
    known = columns()
    for table, held in HELD.items():
        parts = [one.split() for one in (held.columns, held.inner, held.hidden, held.others)]
        named = [column for part in parts for column in part]
        assert sorted(named) == sorted(known[table]), table
        assert held.blanks.keys() <= known[table], table
