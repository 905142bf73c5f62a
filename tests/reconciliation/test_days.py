"""Each day is compared automatically and again later, by a history or by files; a missing record is an item."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from meterai.plumbing.db.database import Row
from meterai.reconciliation.metrics import COMPARED, DIFFERENCES
from meterai.reconciliation.model import (
    RecordFileKnown,
    RecordFileUnreadable,
)
from meterai.reconciliation.service import TASK
from tests.support.records import (
    TESTER,
    breaks,
    executed,
    fetched,
    line,
    look,
    night,
    reconcile,
    says,
    service,
    today,
)
from tests.support.shop import PRICE
from tests.support.till import Till
from tests.support.within import within

HEAD = "Product ID,Transaction ID,Transaction Type,Line Type,Payment Channel,Reference,Currency,Amount,Created Date"


@pytest.fixture(autouse=True)
def quiet(till: Till) -> None:
    says(till)  # the bank has payments of earlier tests, which our books lack


def days(till: Till) -> list[Row]:
    return till.rows(
        "SELECT * FROM record_days WHERE provider NOT IN ('wholesale', 'credit') ORDER BY day, provider"
    )


def trail(till: Till) -> list[Row]:
    return till.rows(
        "SELECT actor, action, subject, facts FROM audit_events WHERE starts_with(subject, 'day_bank')"
        " ORDER BY happened_at"
    )


def file(path: Path, *payments: tuple[str, str, int], day: date | None = None) -> Path:
    """A balance report of today with these payments: reference, number, sum."""
    rows = [
        f"{number},txn_{at},PAYMENT,TRANSACTION,QRIS,{reference},IDR,{rupiah}.00,{day or today()}T00:00:{at:02}+07:00"
        for at, (reference, number, rupiah) in enumerate(payments)
    ]
    path.write_text("\r\n".join((HEAD, *rows)) + "\r\n")
    return path


# -- automatically -----------------------------------------------------------------------------


def test_one_of_several_workers_compares_a_day(till: Till) -> None:
    says(till, line(*executed(till)))
    look(till, night(), workers=4)
    [day] = days(till)
    assert (day["state"], day["tries"], day["reading"], day["broken"]) == ("final", 1, 1, 0)
    [told] = trail(till)
    assert (told["actor"], told["action"]) == (f"job:{TASK}", "record_compared")
    assert told["facts"]["matched"] == 1
    look(till, night() + timedelta(hours=5))
    assert days(till)[0]["reading"] == 1


def test_day_without_the_bank_is_retried_and_an_item_after_its_hour(till: Till) -> None:
    paid = line(*executed(till))
    says(till, status=500)
    look(till, night())
    look(till, night())  # its lease has not run out
    [day] = days(till)
    code = "provider_outcome_unknown"
    assert (day["state"], day["fault"], day["tries"]) == ("waiting", code, 1)
    assert breaks(till) == []
    till.shop.arrange("UPDATE record_days SET leased_until = now()")
    look(till, night() + timedelta(hours=7))
    assert breaks(till) == [("record_missing", None, 0, None)]
    says(till, paid)
    till.shop.arrange("UPDATE record_days SET leased_until = now()")
    look(till, night() + timedelta(hours=9))
    assert days(till)[0]["state"] == "final"
    assert breaks(till) == []


def test_changed_record_is_a_break(till: Till) -> None:
    reference, number = executed(till)
    says(till, line(reference, number))
    look(till, night())
    assert breaks(till) == []
    says(till)
    till.shop.arrange("UPDATE record_days SET read_again_at = now()")
    look(till, night())
    assert breaks(till) == [
        ("payment_not_in_record", PRICE, 0, -PRICE),
        ("record_changed", PRICE, 0, None),
    ]


def test_line_of_another_day_is_named(till: Till) -> None:
    says(till, line(*executed(till)))
    reconcile(till)
    asked = service(till, night(1)).reconcile("bank", today() + timedelta(days=1), [], TESTER)
    found = till.do(asked)
    assert (found.lines, found.unreadable, breaks(till)) == (
        1,
        1,
        [("line_unreadable", None, 0, None)],
    )


def test_readiness_and_metrics_show_the_missing_day(till: Till) -> None:
    says(till, "odd")
    look(till, night())
    assert DIFFERENCES.made._value.get() == 1
    assert COMPARED.made._value.get() == pytest.approx(3 * 3_600, abs=600)

    async def story() -> None:
        async with within(till.shop.container.settings) as web:
            given = await web.get("/readyz")
            assert given.status == 200
            assert json.loads(given.body)["bank"].split()[1] == "differs"

    asyncio.run(story())
    # A day that another provider leaves out counts, whatever newer day was compared.
    till.shop.arrange(
        "INSERT INTO record_days (provider, day, source, leased_until) VALUES ('another', %s, 'history', now())",
        today() - timedelta(days=2),
    )
    till.do(service(till, night()).show())
    assert COMPARED.made._value.get() == pytest.approx(75 * 3_600, abs=600)


# -- by files ----------------------------------------------------------------------------------


def test_settlement_file_of_the_bank_is_matched_line_by_line(till: Till, tmp_path: Path) -> None:
    reference, _ = executed(till)
    path = fetched(till, tmp_path / "settlement.csv", "settlement.csv")
    head, *rows = path.read_text().splitlines()
    ours = [row for row in rows if reference in row]
    path.write_text("\r\n".join([head.replace("Balance", "Held"), *ours]) + "\r\n")
    found = reconcile(till, files=[path])
    assert (found.lines, found.unreadable) == (len(ours), 0)
    assert found.lines >= 1
    assert {kind for kind, *_ in breaks(till)} <= {"fee_not_booked", "tax_not_booked"}


def test_repeated_file_is_refused(till: Till, tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", (*executed(till), PRICE))
    reconcile(till, files=[path])
    with pytest.raises(RecordFileKnown):
        reconcile(till, files=[path])


def test_half_a_file_is_refused_and_an_item(till: Till, tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", (*executed(till), PRICE), (*executed(till), PRICE))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordFileUnreadable, match="half_a_file"):
        reconcile(till, files=[path])
    assert breaks(till) == [("file_unreadable", None, 0, None)]
    assert days(till)[0]["state"] == "waiting"
    assert till.rows("SELECT 1 FROM record_files") == []


def test_refused_file_leaves_an_entry_in_the_trail_and_changes_nothing(
    till: Till, tmp_path: Path
) -> None:
    path = file(tmp_path / "a.csv", (*executed(till), PRICE))
    path.write_text(path.read_text().replace("Currency", "Cur"))
    before = till.rows("SELECT count(*) AS count FROM entries")
    with pytest.raises(RecordFileUnreadable, match="column_missing currency"):
        reconcile(till, files=[path])
    [told] = trail(till)
    assert (told["action"], told["facts"]) == (
        "record_not_compared",
        {"fault": "record_file_unreadable"},
    )
    assert breaks(till) == [("file_unreadable", None, 0, None)]
    assert till.rows("SELECT count(*) AS count FROM entries") == before
    assert till.rows("SELECT 1 FROM record_lines") == []


def test_statements_of_the_account_are_taken_from_the_inbox(till: Till, tmp_path: Path) -> None:
    folder = tmp_path / "records" / "account"
    folder.mkdir(parents=True)
    statement = folder / f"statement-{today()}.csv"
    statement.write_text(
        f"Tanggal;Keterangan;Debet;Kredit;Saldo\n{today():%d/%m/%Y};SETTLEMENT QRIS;;1.000.000,00;1.000.000,00\n"
    )
    (folder / "statement.csv").write_text("no day")
    settings = till.shop.container.settings.replaced(reconciliation_files=str(tmp_path / "records"))
    look(till, night(), settings=settings)
    assert breaks(till) == [
        ("account_moved", 1_000_000, 0, None),
        ("file_unreadable", None, 0, None),
    ]
    assert not statement.exists()
    assert (folder / "taken" / statement.name).exists()


def test_fees_of_a_day_are_one_item_and_books(till: Till, tmp_path: Path) -> None:
    paid = file(tmp_path / "a.csv", (*executed(till), PRICE))
    rows = paid.read_text() + "".join(
        f"q,t,PAYMENT,{kind},QRIS,,IDR,-{rupiah}.00,{today()}T00:01:00+07:00\r\n"
        for kind, rupiah in (("FEE", 70), ("FEE", 5), ("VAT", 8))
    )
    paid.write_text(rows)
    reconcile(till, files=[paid])
    assert breaks(till) == [("fee_not_booked", 75, 0, -75), ("tax_not_booked", 8, 0, -8)]
