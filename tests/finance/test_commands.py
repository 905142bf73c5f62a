"""Commands of finance: their output and files."""

import csv
import zipfile
from pathlib import Path

import pytest

from meterai.kit.days import Month
from meterai.kit.ids import show
from tests.finance.conftest import Books
from tests.support.commands import Done, run_here


@pytest.fixture
def used_books(books: Books) -> Books:
    books.lives()
    books.ago(1)
    books.lives()
    return books


@pytest.fixture
def finance(used_books: Books, database_url: str, tmp_path: Path):
    def run(*words: str) -> Done:
        return run_here(tmp_path, "finance", *words, DATABASE_URL=database_url)

    return run


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("utf-8-sig").splitlines()))


def test_trial_balance_is_printed_and_written(finance, tmp_path: Path) -> None:
    printed = finance("trial-balance")
    assert printed.returncode == 0, printed.stderr
    path = tmp_path / "trial.csv"
    assert finance("trial-balance", "--out", str(path)).returncode == 0
    totals = [row for row in cells(path) if row[1] == "Total"]
    assert [row[2] for row in totals] == ["IDR", "STAMP"]
    assert all(row[3] == row[4] != "0" for row in totals)
    again = finance("trial-balance", "--out", str(path))
    assert again.returncode == 2, "it is there"


@pytest.mark.parametrize("scope", ["account", "order", "provider", "day", "month"])
def test_statement_is_written_completely(
    finance, used_books: Books, tmp_path: Path, scope: str
) -> None:
    of = {
        "account": show("acc", used_books.shop.account),
        "order": show("ord", used_books.shop.placed[0]),
        "provider": "bank",
        "day": str(used_books.day(1)),
        "month": str(Month.of(used_books.day())),
    }[scope]
    path, book = tmp_path / "lines.csv", tmp_path / "lines.xlsx"
    written = finance("statement", scope, of, "--out", str(path))
    assert written.returncode == 0, written.stderr
    rows = cells(path)[1:]
    assert rows
    assert f"{len(rows)} lines" in written.stdout
    assert finance("statement", scope, of, "--out", str(book)).returncode == 0
    assert zipfile.is_zipfile(book)
    assert finance("statement", scope, of, "--out", str(tmp_path / "x.pdf")).returncode == 2


def test_statement_of_unknown_account_is_refused_with_sentence(finance) -> None:
    refused = finance("statement", "account", "nobody@example.id")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert finance("statement", "street", "x").returncode == 2
    assert finance("ageing", "--language", "fr").returncode == 2


def test_month_is_exported_with_its_closes(finance, used_books: Books, tmp_path: Path) -> None:
    used_books.compared(used_books.day(1))
    used_books.close(used_books.day(1))
    of = Month.of(used_books.day(1))
    done = finance("export", str(of), "--out", str(tmp_path / "month"))
    assert done.returncode == 0, done.stderr
    names = {one.name for one in (tmp_path / "month").iterdir()}
    assert names == {
        *(
            f"{name}-{of}.csv"
            for name in (
                "trial-balance",
                "books",
                "providers",
                "taxes",
                "channels",
                "channel-days",
                "refunds",
            )
        ),
        *(f"finance-{of}.xlsx", f"{used_books.day(1)}.json", f"{used_books.day(1)}.jsonl"),
    }
    assert finance("payouts").stdout.startswith("duty payable that is in no payout:")
