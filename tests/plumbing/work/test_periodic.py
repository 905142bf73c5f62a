"""A periodic task handles each row independently, and shows the rows that failed."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import DatabaseAway, Row, Tx
from meterai.plumbing.observe import telemetry
from meterai.plumbing.work.periodic import PAUSE_SECONDS_MAX, each, run_row
from tests.support.shop import Shop

ROUND = "try_rows"


class Unfit(Refusal):
    """Refusal of a row by the periodic task of these tests."""

    code = "unfit"


class Due(NamedTuple):
    account: UUID
    order: UUID


def rows_of(count: int, account: UUID) -> list[Due]:
    return [Due(account, uuid4()) for _ in range(count)]


def run(shop: Shop, rows: list[Due], act: Callable[[Due], Any]) -> int:
    async def acting(row: Due) -> None:
        act(row)

    return shop.do(each(shop.container.database, ROUND, rows, acting, subject="order"))


def faults(shop: Shop) -> list[Row]:
    return shop.rows(
        "SELECT subject, tries, code, extract(epoch FROM try_at - last_at)::float8 AS pause"
        " FROM round_faults WHERE round = %s ORDER BY subject",
        ROUND,
    )


def counted(outcome: str) -> float:
    value = telemetry.ROUND_ROWS.labels(round=ROUND, outcome=outcome)._value.get()
    assert isinstance(value, float)
    return value


def test_rows_that_fail_do_not_stop_the_others_and_are_shown(shop: Shop) -> None:
    rows, seen = rows_of(5, shop.account), []
    before = {outcome: counted(outcome) for outcome in ("done", "unfit", "fault")}

    def act(row: Due) -> None:
        seen.append(row)
        if row is rows[0]:
            raise Unfit("no")
        if row is rows[3]:
            raise ZeroDivisionError

    assert run(shop, rows, act) == 3
    assert len(seen) == 5
    kept = {row["subject"]: row["code"] for row in faults(shop)}
    assert kept == {str(rows[0].order): "unfit", str(rows[3].order): "fault"}
    after = {outcome: counted(outcome) - before[outcome] for outcome in before}
    assert after == {"done": 3, "unfit": 1, "fault": 1}


def test_fault_of_a_row_ends_with_its_success(shop: Shop) -> None:
    rows = rows_of(2, shop.account)

    def fails(row: Due) -> None:
        raise Unfit("no")

    assert run(shop, rows, fails) == 0
    assert len(faults(shop)) == 2
    assert run(shop, rows, lambda row: None) == 2
    assert faults(shop) == []


def test_pause_doubles_up_to_its_bound_for_any_number_of_tries(shop: Shop) -> None:
    rows = rows_of(1, shop.account)

    def fails(row: Due) -> None:
        raise Unfit("no")

    pauses = []
    for tries in (0, 1, 2, 8, 9, 1024, 2_000_000):
        shop.arrange("UPDATE round_faults SET tries = %s", tries)
        assert run(shop, rows, fails) == 0
        [fault] = faults(shop)
        pauses.append(fault["pause"])
    assert pauses == [1.0, 2.0, 4.0, 256.0, *[PAUSE_SECONDS_MAX] * 3]


def test_unavailable_database_is_no_fault_of_a_row(shop: Shop) -> None:
    def gone(row: Due) -> None:
        raise DatabaseAway("gone")

    with pytest.raises(DatabaseAway):
        run(shop, rows_of(1, shop.account), gone)
    assert faults(shop) == []


def test_locked_row_delays_its_periodic_task_only_briefly(shop: Shop) -> None:
    locked, free = shop.place(1), shop.place(1)

    async def locking() -> int:
        database = shop.container.database

        async def act(row: Due) -> None:
            async def close(tx: Tx) -> None:
                await tx.run("UPDATE orders SET closed_at = now() WHERE order_id = %s", row.order)

            await run_row(database, close)

        async with database.transaction() as tx:
            await tx.run("SELECT 1 FROM orders WHERE order_id = %s FOR UPDATE", locked)
            rows = [Due(shop.account, one) for one in (locked, free)]
            return await each(database, ROUND, rows, act, subject="order")

    assert shop.do(locking()) == 1
    assert [(row["subject"], row["code"]) for row in faults(shop)] == [(str(locked), "busy")]


# -- pauses of refunds, which lease their rows themselves ----------------------------------------
