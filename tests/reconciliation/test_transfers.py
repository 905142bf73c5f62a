"""Money that went back by transfer: the statement of its account closes it, and the record of its rail has none of it."""

from pathlib import Path

import pytest

from meterai import payments
from meterai.kit.ids import compact, new_id
from meterai.payments import TRANSFER_PREFIX, Payee
from tests.support.records import breaks, executed, line, reconcile, says, today
from tests.support.till import Till

HEAD = "Tanggal;Keterangan;Debet;Kredit\n"


@pytest.fixture(autouse=True)
def quiet(till: Till) -> None:
    says(till)  # the bank has payments of earlier tests, our books have not


def transferred(till: Till) -> tuple[tuple[str, str], str]:
    """A payment that went back whole by transfer: its line in the record, and the number of the transfer."""
    shop = till.shop
    reference, number = executed(till)
    [order] = till.rows("SELECT order_id FROM orders")
    shop.ask_back(order["order_id"])
    shop.work()
    account, refund, transfer = shop.account, shop.refunds()[-1], new_id()

    async def plan() -> None:
        async with shop.container.database.transaction() as tx:
            await payments.reroute(tx, account, refund)
            await payments.name_payee(tx, account, Payee("014", "1230001", "ANI LESTARI"))

    till.do(plan())
    told = f"{TRANSFER_PREFIX}{compact(account)}{compact(transfer)}"
    shop.arrange("SELECT transfer_plan(%s, %s, %s, 'bank')", account, transfer, told)
    shop.arrange(
        "UPDATE transfers SET state = 'sent', tries = 1, tried_at = now() WHERE transfer_id = %s",
        transfer,
    )
    shop.arrange("UPDATE refunds SET state = 'sent', tries = 1 WHERE transfer_id = %s", transfer)
    shop.arrange("SELECT transfer_settle(%s, %s, 'B1')", account, transfer)
    shop.work()
    return (reference, number), told


def statement(till: Till, path: Path, *rows: str) -> Path:
    path.write_text(HEAD + "".join(f"{today():%d/%m/%Y};{row}\n" for row in rows))
    return path


def recorded(till: Till) -> list[bool]:
    found = till.rows(
        "SELECT recorded_at FROM transfers UNION ALL SELECT recorded_at FROM refunds WHERE state = 'settled'"
    )
    return [row["recorded_at"] is not None for row in found]


def test_statement_closes_a_transfer_and_the_refund_that_it_carries(
    till: Till, tmp_path: Path
) -> None:
    _, number = transferred(till)
    path = statement(till, tmp_path / "a.csv", f"TRANSFER {number};10.000;")
    found = reconcile(till, files=[path], provider="float")
    assert (found.matched, breaks(till)) == (1, [])
    assert recorded(till) == [True, True]


def test_transfer_of_another_sum_is_a_break_and_stays_open(till: Till, tmp_path: Path) -> None:
    _, number = transferred(till)
    path = statement(till, tmp_path / "a.csv", f"TRANSFER {number};9.000;")
    reconcile(till, files=[path], provider="float")
    assert breaks(till) == [("float_differs", 1_000, 0, 1_000)]
    assert recorded(till) == [False, False]


def test_record_of_the_rail_has_the_payment_and_not_its_transfer(till: Till) -> None:
    paid, _ = transferred(till)
    says(till, line(*paid))
    found = reconcile(till)
    assert (found.matched, breaks(till)) == (1, [])
