"""Refunds by transfer are closed by the statement of the account of transfers; the record of the rail lacks them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import transferring
from tests.support.records import breaks, line, reconcile, says, today
from tests.support.till import Till, open_till

HEAD = "Tanggal;Keterangan;Debet;Kredit\n"


@pytest.fixture
def floating(database_url: str, tmp_path: Path) -> Iterator[Till]:
    """A till at a bank that makes transfers."""
    with open_till(database_url, tmp_path, **transferring.SETTINGS) as till:
        says(till)
        yield till
        till.assert_books_hold()


def transferred(till: Till) -> tuple[tuple[str, str], str]:
    """Make a payment that went back by transfer; return its line in the record, and the number of the transfer."""
    transferring.to_an_account(till)
    transferring.name(till)
    transferring.plan(till)
    transferring.send(till)
    transferring.follow(till)
    [paid] = till.rows("SELECT attempt_id, payment FROM captures")
    [sent] = till.rows("SELECT transfer_no, state FROM transfers")
    assert sent["state"] == "settled"
    return (till.reference(paid["attempt_id"]), paid["payment"]), sent["transfer_no"]


def statement(till: Till, path: Path, *rows: str) -> Path:
    path.write_text(HEAD + "".join(f"{today():%d/%m/%Y};{row}\n" for row in rows))
    return path


def recorded(till: Till) -> list[bool]:
    found = till.rows(
        "SELECT recorded_at FROM transfers UNION ALL SELECT recorded_at FROM refunds WHERE state = 'settled'"
    )
    return [row["recorded_at"] is not None for row in found]


def test_statement_closes_a_transfer_and_the_refund_that_it_carries(
    floating: Till, tmp_path: Path
) -> None:
    till = floating
    _, number = transferred(till)
    path = statement(till, tmp_path / "a.csv", f"TRANSFER {number};10.000;")
    found = reconcile(till, files=[path], provider="float")
    assert (found.matched, breaks(till)) == (1, [])
    assert recorded(till) == [True, True]


def test_transfer_of_another_sum_is_a_break_and_stays_open(floating: Till, tmp_path: Path) -> None:
    till = floating
    _, number = transferred(till)
    path = statement(till, tmp_path / "a.csv", f"TRANSFER {number};9.000;")
    reconcile(till, files=[path], provider="float")
    assert breaks(till) == [("float_differs", 1_000, 0, 1_000)]
    assert recorded(till) == [False, False]


def test_record_of_the_rail_has_the_payment_and_not_its_transfer(floating: Till) -> None:
    till = floating
    paid, _ = transferred(till)
    says(till, line(*paid))
    found = reconcile(till)
    assert (found.matched, breaks(till)) == (1, [])
