"""Declarations of rooms about columns for the audit name existing columns, each once."""

from collections import Counter

from meterai.room import Rooms
from tests.support.audits import AUDITED
from tests.support.columns import COLUMNS, FACTS, SHOWN, reasons_of


def test_facts_and_shown_columns_exist_and_are_disjoint() -> None:
    assert set() == (FACTS | SHOWN) - COLUMNS, "there is no such column"
    assert set() == FACTS & SHOWN
    said = Counter(column for column, _ in reasons_of(AUDITED))
    assert {column for column, times in said.items() if times > 1} == set()


def test_room_declares_columns_of_its_own_tables_only(rooms: Rooms) -> None:
    for room in rooms:
        of = room.audited
        spoken = {fact.table for fact in of.facts} | set(of.of_accounts) | set(of.standing)
        spoken |= of.shown.keys() | of.subjects.keys()
        assert spoken <= room.owned_tables, room.name


def test_every_reason_is_a_sentence() -> None:
    assert all(why.endswith(".") for _, why in reasons_of(AUDITED))
