"""Closes of days: their conditions, the signed content, and the findings of the check."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from meterai.finance import closing, store
from meterai.finance.invariants import compare_closed_days
from meterai.finance.model import (
    Close,
    CloseTooEarly,
    CloseWrong,
    DayClosed,
    DayNotNext,
    DayNotReconciled,
    PeriodBalance,
)
from meterai.kit.days import DAY, begin_of
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.signed import DocumentSigner
from tests.finance.conftest import Books
from tests.support.commands import run_here
from tests.support.pulling import member
from tests.support.shop import TESTER

SCRIPT = Path(__file__).parents[2] / "docs" / "finance" / "verify_closes.py"


@pytest.fixture
def closed(books: Books) -> Books:
    """Three closed days; nothing happened on the second."""
    books.lives()
    books.ago(3)
    books.lives()
    books.ago(1)
    books.compared(books.day(1))
    for back in (3, 2, 1):
        books.close(books.day(back))
    return books


def written(books: Books, folder: Path) -> Path:
    """The files of every close, and the key."""

    async def write(tx: ReadTx) -> None:
        for one in await store.closes(tx, books.day(30), books.day(), None):
            name, content = closing.written(one)
            (folder / name).write_bytes(content)
            asked = closing.asked_of_day(one.day)
            journal = [some async for some in store.journal(tx, asked.begin, asked.end)]
            (folder / closing.journal_of(one.day)).write_text("".join(journal))

    books.read(write)
    key = folder / "key.pem"
    key.write_bytes(books.signer().public_pem())
    return key


def by_script(key: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(key), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_close_has_totals_and_the_digest_of_the_entries_and_names_the_one_before(
    closed: Books,
) -> None:
    third, second, first = closed.closes()
    assert [one.day for one in (first, second, third)] == [closed.day(n) for n in (3, 2, 1)]
    told = closing.read_close(third.manifest.encode(), closed.signer().public_key())
    assert told.before == closing.digest(second.manifest)
    assert told.breaks == {}
    legs = [one for one in closed.legs() if one["posted_at"] < begin_of(closed.day())]
    sums: dict[str, list[int]] = {}
    for one in legs:
        side = sums.setdefault(one["book"], [0, 0, 0])
        if one["posted_at"] >= begin_of(closed.day(1)):
            side[one["amount"] > 0] += abs(one["amount"])
        side[2] += one["amount"]
    assert {book: list(sides) for book, sides in told.books.items()} == sums
    of_days = {one["entry_id"]: one["posted_at"] >= begin_of(closed.day(1)) for one in legs}
    newest = sum(of_days.values())
    told_entries = (first.entries, second.entries, third.entries)
    assert told_entries == (len(of_days) - newest, 0, newest)


def test_days_are_closed_in_order_after_end_and_comparison(books: Books) -> None:
    books.lives()
    books.ago(3)
    with pytest.raises(CloseTooEarly):
        books.close(books.day())
    with pytest.raises(DayNotReconciled):
        books.close(books.day(3))
    books.compared(books.day(3))
    books.close(books.day(3))
    with pytest.raises(DayClosed):
        books.close(books.day(3))
    with pytest.raises(DayNotReconciled):
        books.close(books.day(2))
    books.compared(books.day(1))
    with pytest.raises(DayNotNext):
        books.close(books.day(1))


def test_close_names_open_breaks_with_their_amounts(books: Books) -> None:
    books.lives()
    books.shop.arrange(
        "SELECT suspense_keep(gen_random_uuid(), 'k', 'notification', 'reference_unknown', 'r', 'p', 7000, true, 'x', 86400)"
    )
    books.ago(1)
    books.shop.arrange("UPDATE suspense_items SET opened_at = opened_at - interval '1 day'")
    books.compared(books.day(1))
    finance = member(books.shop, "finance")
    forecast = finance.forecast("finance close", day=str(books.day(1)))
    words = [one.word for one in forecast.effects]
    assert words == ["day_closes", "day_closes_with_breaks", "day_closes_break"]
    assert forecast.effects[1].facts == {"count": 1, "rupiah": 7_000}
    assert finance.pull("finance close", day=str(books.day(1))).is_done
    [kept] = books.closes()
    told = closing.read_close(kept.manifest.encode(), books.signer().public_key())
    assert list(told.breaks.values()) == [7_000]
    assert all(item.startswith("sus_") for item in told.breaks)


def test_close_after_one_of_another_key_is_refused(closed: Books) -> None:
    closed.shop.arrange(
        "UPDATE day_closes SET manifest = %s WHERE day = %s",
        json.dumps({"payload": "e30", "protected": "e30", "signature": ""}),
        closed.day(1),
    )
    closed.shop.arrange("DELETE FROM day_closes WHERE day > %s", closed.day(1))
    last = closed.closes()[0]
    assert last.day == closed.day(1)

    async def next_one(tx: Tx) -> None:
        found = Close(last.day + DAY, 0, bytes(32), [])
        await closing.close(tx, found, closed.shop.container.settings, TESTER)

    with pytest.raises(CloseWrong):
        closed.change(next_one)


def test_closes_are_verified_by_command_and_published_script(closed: Books, tmp_path: Path) -> None:
    key = written(closed, tmp_path)
    files = sorted(map(str, tmp_path.glob("*.json")))
    checked = run_here(tmp_path, "finance", "verify", *files, "--key", str(key))
    assert checked.returncode == 0, checked.stderr
    assert (
        f"every day from {closed.day(3)} to {closed.day(1)} as it was signed, 3 with"
        in checked.stdout
    )
    done = by_script(key, tmp_path)
    assert done.returncode == 0, done.stderr
    rows = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    found = {one.book: one.closing for one in _balances(closed)}
    assert {book: int(rows[book]) for book in found} == found


def _balances(books: Books) -> list[PeriodBalance]:
    return books.read(lambda tx: store.balances(tx, closing.asked_of_day(books.day(1))))


def _another(text: str) -> str:
    return text.replace('"bank_clearing" : -', '"bank_clearing" : -1')


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder, day: (folder / f"{day - DAY}.json").unlink(),
        lambda folder, day: (folder / f"{day}.jsonl").write_text(""),
        lambda folder, day: (folder / f"{day}.jsonl").write_text(
            _another((folder / f"{day}.jsonl").read_text())
        ),
        lambda folder, day: (folder / f"{day}.json").write_text(
            (folder / f"{day}.json").read_text().replace('"payload": "e', '"payload": "f')
        ),
        lambda folder, day: (folder / "key.pem").write_bytes(
            DocumentSigner(bytes(range(32))).public_pem()
        ),
    ],
    ids=["a day missing", "no entries", "another amount", "another close", "another key"],
)
def test_changed_files_are_found(
    closed: Books, tmp_path: Path, spoil: Callable[[Path, date], object]
) -> None:
    key = written(closed, tmp_path)
    spoil(tmp_path, closed.day(1))
    files = sorted(map(str, tmp_path.glob("*.json")))
    checked = run_here(tmp_path, "finance", "verify", *files, "--key", str(key))
    assert checked.returncode == 1, checked.stdout
    assert by_script(key, tmp_path).returncode != 0


def broken(books: Books) -> list[str]:
    held = books.shop.container
    part = AuditedPart(held.database, held.settings, None, begin_of(books.day(100)))
    found = books.shop.do(compare_closed_days(part))
    return [str(one["day"]) for one in found.evidence]


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE entries SET posted_at = posted_at - interval '1 day' WHERE posted_at > now() - interval '3 days'",
        "UPDATE legs SET debit = debit * 2, credit = credit * 2 WHERE book IN ('stamps_issued', 'stamps_available')",
        "UPDATE entries SET reason = 'correction' WHERE reason = 'refund_settled'",
        "DELETE FROM legs WHERE book = 'service_fee'",
    ],
)
def test_audit_compares_closed_day_with_its_entries(closed: Books, spoil: str) -> None:
    assert broken(closed) == []
    closed.shop.arrange(spoil)
    assert str(closed.day(1)) in broken(closed)


def test_close_of_unfinished_day_is_refused_by_database(books: Books) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="closed_day_is_over"):
        books.shop.arrange(
            "INSERT INTO day_closes (day, entries, sha256, manifest)"
            " VALUES ((now() AT TIME ZONE 'Asia/Jakarta')::date, 0, sha256(''), '')"
        )


def test_entry_after_close_belongs_to_later_day(closed: Books) -> None:
    closed.shop.pay(closed.shop.place(1))
    closed.shop.work()
    assert broken(closed) == []
    assert closed.legs()[-1]["posted_at"] > begin_of(closed.day()) - timedelta(seconds=1)
