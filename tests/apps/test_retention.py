"""Data that must leave does so in time and not earlier. Money stays, and the audit holds."""

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meterai.apps.rooms import offers_of
from meterai.kit.clock import SystemClock
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.retention import BATCH, Leaves, Retention
from tests.support.audits import audit
from tests.support.rows import Values, insert, possible, types
from tests.support.shop import Shop, open_shop

RULES = tuple(rule for rule in offers_of().retention if isinstance(rule, Leaves))
AT = "'{at}'::timestamptz"
NOW = SystemClock().now()
LONG_AGO = NOW - timedelta(days=4000)
MOMENT = timedelta(seconds=1)
BY_NAME = {rule.name: rule for rule in RULES}
Connection = psycopg.Connection[Any]


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def apply(url: str, rule: Leaves) -> list[int]:
    """Run the periodic task of a rule until it finds nothing; return the number of rows of each batch."""

    async def run() -> list[int]:
        database = Database(url, connections=1)
        await database.open()
        try:
            found = []
            while batch := await Retention(database, Clock(), RULES).apply(rule):
                found.append(batch)
            return found
        finally:
            await database.close()

    return asyncio.run(run())


def row_of(connection: Connection, rule: Leaves, *, is_about: bool = True) -> Values:
    """Values of a row that the rule covers, with its time; or of a row that it does not cover."""
    columns = {name for name, _ in types(connection, rule.table)}
    given = dict.fromkeys(columns & set(re.findall(r"\w+", rule.since)), AT) if is_about else {}
    only = rule.only if is_about else f"NOT coalesce(({rule.only}), false)"
    return possible(connection, rule.table, given, LONG_AGO, only, rule.blanks)


def count(connection: Connection, rule: Leaves, where: str) -> int:
    [row] = connection.execute(
        f"SELECT count(*) FROM {rule.table} WHERE {where}".encode()
    ).fetchall()
    return int(row[0])


@pytest.mark.parametrize("name", BY_NAME)
def test_row_leaves_in_time_and_not_before(
    connection: Connection, database_url: str, name: str
) -> None:
    rule = BY_NAME[name]
    row = row_of(connection, rule)
    insert(connection, rule.table, row, NOW - rule.after - MOMENT)
    insert(connection, rule.table, row, NOW - rule.after + MOMENT)
    assert apply(database_url, rule) == [1]
    assert count(connection, rule, "true") == (2 if rule.blanks else 1)
    for column, blank in rule.blanks.items():
        assert count(connection, rule, f"{column} IS NOT DISTINCT FROM {blank}") == 1, column
    assert apply(database_url, rule) == [], "what has left does not leave again"


def test_row_outside_a_rule_stays(connection: Connection, database_url: str) -> None:
    for rule in RULES:
        if rule.only == "true":
            continue
        insert(connection, rule.table, row_of(connection, rule, is_about=False), LONG_AGO)
        assert apply(database_url, rule) == [], rule.name
        connection.execute(f"DELETE FROM {rule.table}".encode())


def test_many_rows_leave_in_small_batches(connection: Connection, database_url: str) -> None:
    connection.execute(
        "INSERT INTO sign_in_challenges (challenge_id, email, network, created_at, expires_at)"
        " SELECT gen_random_uuid(), 'a@b.id', '', '2020-01-01', '2020-01-01'"
        " FROM generate_series(1, %s)",
        [2 * BATCH + 1],
    )
    assert apply(database_url, BY_NAME["sign_in_codes"]) == [BATCH, BATCH, 1]


@pytest.mark.parametrize("name", BY_NAME)
def test_locked_row_does_not_delay_others(
    connection: Connection, database_url: str, name: str
) -> None:
    rule = BY_NAME[name]
    row = row_of(connection, rule)
    insert(connection, rule.table, row, NOW - 2 * rule.after)
    with psycopg.connect(database_url) as holder:
        holder.execute(f"SELECT 1 FROM {rule.table} FOR UPDATE".encode())
        insert(connection, rule.table, row, NOW - 2 * rule.after)
        assert apply(database_url, rule) == [1]
    assert apply(database_url, rule) == [1]


# -- remaining rows ----------------------------------------------------------------------------


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(database_url, tmp_path) as opened:
        yield opened


def test_invariants_of_money_hold_after_every_rule_ran(shop: Shop) -> None:
    order = shop.place(2)
    shop.make_qr(shop.attempts(order)[0])
    shop.tell(shop.pay(order))
    shop.work()
    stamping = shop.reserve(1)
    assert stamping is not None
    shop.deliver(stamping)
    shop.ask_back(order)
    for refund in shop.refunds():
        shop.send(refund)
        shop.settle(refund)
    shop.work()
    before = shop.rows("SELECT sum(credit) AS credits FROM legs")
    shop.arrange(
        "UPDATE mails SET state = 'sent', tries = 1, queued_at = now() - interval '4000 days',"
        " sent_at = now() - interval '4000 days'"
    )
    container = shop.container

    class Later:
        def now(self) -> datetime:
            return SystemClock().now() + timedelta(days=4000)

    left = {
        rule.name: shop.do(Retention(container.database, Later(), RULES).apply(rule))
        for rule in RULES
    }
    assert left["mail_contents"] > 0
    assert not shop.rows("SELECT 1 FROM mails WHERE recipient <> '' OR facts <> '{}'")
    assert shop.rows("SELECT sum(credit) AS credits FROM legs") == before
    found = shop.do(audit(container.database))
    assert found.holds, [one for one in found.findings if not one.holds]
