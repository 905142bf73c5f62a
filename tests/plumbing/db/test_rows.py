"""Rows of an answer become values of the model, and a statement is only one statement."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

import pytest

from meterai.kit.money import Rupiah
from meterai.plumbing.db.database import Database, ReadTx, SecondStatement, Tx
from meterai.plumbing.db.rows import RowMapper

Answer = TypeVar("Answer")


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Thing:
    colour: Colour
    price: Rupiah | None
    parts: tuple[int, ...]
    name: str = "unnamed"


class Pair(NamedTuple):
    left: int
    right: int


THINGS = RowMapper(Thing, parts=tuple)
PAIRS = RowMapper(Pair)


def asked(url: str, command: Callable[[Tx], Awaitable[Answer]]) -> Answer:
    async def act() -> Answer:
        database = Database(url, connections=1)
        await database.open()
        try:
            return await database.once(command)
        finally:
            await database.close()

    return asyncio.run(act())


def test_columns_become_fields_of_their_types(database_url: str) -> None:
    async def things(tx: ReadTx) -> list[Thing]:
        return await tx.all_as(
            THINGS,
            "SELECT ARRAY[1, 2] AS parts, price, 'red' AS colour FROM"
            " (VALUES (%s::bigint), (NULL)) AS one (price)",
            500,
        )

    found = asked(database_url, things)
    assert found == [Thing(Colour.RED, Rupiah(500), (1, 2)), Thing(Colour.RED, None, (1, 2))]
    assert isinstance(found[0].colour, Colour)


def test_unknown_word_of_a_later_version_fails_only_its_row(database_url: str) -> None:
    async def things(tx: ReadTx) -> list[Thing]:
        return await tx.all_as(
            THINGS,
            "SELECT ARRAY[1] AS parts, 5 AS price, colour FROM"
            " (VALUES ('violet'), ('red')) AS one (colour)",
        )

    violet, red = asked(database_url, things)
    assert violet.colour == "violet"
    assert red.colour is Colour.RED


@pytest.mark.parametrize("columns", ["1 AS left", "1 AS left, 2 AS right, 3 AS middle"])
def test_columns_that_differ_from_fields_are_a_fault(database_url: str, columns: str) -> None:
    async def pair(tx: ReadTx) -> Pair | None:
        return await tx.one_as(PAIRS, f"SELECT {columns}")

    with pytest.raises(TypeError):
        asked(database_url, pair)


def test_second_statement_in_a_query_is_refused(database_url: str) -> None:
    """A second statement would be a transaction of its own, and could not be undone with the first."""

    async def two(tx: Tx) -> None:
        await tx.value("SELECT 1")
        await tx.value("SELECT 2")

    with pytest.raises(SecondStatement):
        asked(database_url, two)
