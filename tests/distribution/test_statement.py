"""The statement of a deposit equals the legs of its book, in every format."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from meterai.distribution import statement
from meterai.distribution.statement import StatementSpan, Writer, as_csv, as_json, as_xlsx
from meterai.kit.clock import WIB
from meterai.kit.days import Month, day_of
from meterai.kit.ids import from_compact
from meterai.plumbing.spreadsheets import SEPARATORS
from tests.distribution.conftest import UNIT, Depot

MONTH = StatementSpan.read(str(Month.of(day_of(datetime.now(UTC)))), None)


@pytest.fixture
def used_deposit(depot: Depot) -> Depot:
    """A deposit with every possible kind of leg."""
    depot.top_up(100_000)
    made = depot.sell(3)
    depot.sell()
    depot.work()
    before, depot.shop.account = depot.shop.account, depot.buyer(made)
    depot.shop.ask_back(
        depot.shop.rows("SELECT order_id FROM sales ORDER BY sale_id")[0]["order_id"]
    )
    depot.shop.account = before
    depot.give_back()
    depot.top_up(50_000)
    depot.refund(20_000)
    depot.work()
    return depot


def legs(depot: Depot) -> list[int]:
    rows = depot.shop.rows(
        "SELECT l.credit - l.debit AS amount FROM legs l JOIN entries e USING (account_id, entry_id)"
        " WHERE l.book = 'deposits' AND l.account_id = %s ORDER BY e.posted_at, e.entry_id",
        depot.account,
    )
    return [row["amount"] for row in rows]


def written(depot: Depot, write: Writer, of: StatementSpan = MONTH, language: str = "id") -> bytes:
    async def take() -> bytes:
        pieces = await depot.service.written(depot.account, of, language, write)
        return b"".join([piece async for piece in pieces])

    return depot.shop.do(take())


@pytest.mark.parametrize("language", ["id", "en"])
def test_each_row_has_a_cell_for_each_column(depot: Depot, language: str) -> None:
    depot.top_up(100_000)
    depot.shop.arrange(
        f"INSERT INTO seller_debts (account_id, owed) VALUES ('{depot.account}', 5000)"
    )
    depot.top_up(50_000)  # the payment of a debt; its text has a comma in English
    text = written(depot, as_csv, language=language).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=SEPARATORS[language]))
    assert [len(row) for row in rows] == [6] * 4
    assert {row[1] for row in rows[1:]} <= set(statement.StatementWords(language).reasons.values())


def test_sums_by_day_are_the_legs(used_deposit: Depot) -> None:
    found = used_deposit.shop.do(used_deposit.service.statement(used_deposit.account, MONTH))
    [day] = found.days
    assert (day.added, day.sold, day.returned, day.withdrawn) == (
        150_000,
        -4 * UNIT,
        3 * UNIT,
        -20_000,
    )
    assert (found.opening, found.closing, day.sales) == (0, sum(legs(used_deposit)), 2)
    assert found.closing == used_deposit.balance
    used_deposit.check()


def test_every_file_has_every_leg_with_the_balance_after_it(used_deposit: Depot) -> None:
    text = written(used_deposit, as_csv).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))[1:]
    told: list[Any] = json.loads(written(used_deposit, as_json))
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(used_deposit, as_xlsx)))
    cells = book.get_sheet_by_index(1).to_python()[1:]
    expected, balance = [], 0
    for amount in legs(used_deposit):
        balance += amount
        expected.append((amount, balance))
    assert [(int(row[3]), int(row[4])) for row in rows] == expected
    assert [(one["amount"], one["balance"]) for one in told] == expected
    assert [(row[3], row[4]) for row in cells] == expected
    assert {one["subject"][:4] for one in told} == {"sal_", "ord_"}
    moments = [datetime.fromisoformat(one["at"]).astimezone(WIB) for one in told]
    assert [f"{at:%Y-%m-%d %H:%M:%S}" for at in moments] == [row[0] for row in rows]
    subjects = used_deposit.shop.rows(
        "SELECT subject FROM entries JOIN legs USING (account_id, entry_id) WHERE book = 'deposits'"
    )
    assert {from_compact(one["subject"][4:].upper()) for one in told} == {
        row["subject"] for row in subjects
    }
