"""Statements of duty, and the extracts of which they are sums."""

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from meterai.accounts import NotPermitted
from meterai.kit.days import DAY, Month, begin_of, read_day
from meterai.kit.subjects import WorkItem
from meterai.ledger import Sums
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.database import Tx
from meterai.plumbing.db.invariants import InvariantFinding
from meterai.plumbing.signed import DocumentSigner, public_key_of
from meterai.regulator.evidence import ENTRIES
from meterai.regulator.evidence_check import EvidenceWrong, check_evidence
from meterai.regulator.evidence_service import EvidenceService
from meterai.regulator.extracts import ExtractManifest, ExtractWrong, check_folder, file_name
from meterai.regulator.model import MonthClosed, MonthNotOver, MonthState, read_serial
from meterai.regulator.room import CHECKS, ROOM
from meterai.regulator.service import StatementService
from meterai.regulator.tables import TABLES, csv_of, name_of_file, xlsx_of
from tests.regulator.conftest import Office
from tests.support.audits import INVARIANTS, audit
from tests.support.commands import run_here
from tests.support.lines import MovedClock
from tests.support.pulling import member

SCRIPT = Path(__file__).parents[2] / "docs" / "regulator" / "verify_statement.py"


def figures_of(office: Office, back: int) -> dict[str, tuple[int, int]]:
    found = office.statement(office.month(back))
    figures = {one.name: (one.stamps, one.rupiah) for one in found.figures}
    lines = {one.name: (one.stamps, one.rupiah) for one in found.lines}
    return lines | figures


def test_statement_counts_all_acts(office: Office) -> None:
    office.lives()
    found = figures_of(office, 0)
    # 5 stamps bought, 3 returned, 3 of documents; the failed one was never sold.
    assert found["sold"] == (11, 110_000)
    assert found["affixed"] == (5, 50_000)
    assert found["refunded"] == (3, 30_000)
    assert found["charged_back"] == (3, 30_000)
    assert found["due"] == (5, 50_000)
    assert found["opening"] == (0, 0)
    assert found["closing"] == (0, 50_000)
    assert "other" not in found
    assert office.statement(office.month()).state is MonthState.RUNNING


def by_script(key: Path, folder: Path, month: Month) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(key), str(folder), str(month)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_day_in_folder_is_an_error_that_names_the_last_day(
    office: Office, tmp_path: Path
) -> None:
    month = office.month(1)
    office.lives()
    office.ago(office.days_back_to(month, 10))
    office.make_all()
    key = office.write(tmp_path)

    def first_line() -> str:
        done = by_script(key, tmp_path, month)
        return done.stdout.splitlines()[0] if done.returncode == 0 else "an error"

    def remove(day: int) -> None:
        (tmp_path / f"{month}-{day}.json").unlink()

    checked = run_here(tmp_path, "regulator", "check", str(tmp_path), "--key", str(key))
    assert checked.returncode == 0
    assert f"every day from {month}-10 to {office.extracts()[-1].day}" in checked.stdout
    assert first_line() == f"days from {month}-10 whole facts 19"
    remove(month.last.day)
    checked = run_here(tmp_path, "regulator", "check", str(tmp_path), "--key", str(key))
    # If no later day exists in the folder, as on the first day of a month, a missing last day cannot be seen.
    assert checked.returncode == int(office.extracts()[-1].day > month.last)
    assert first_line() == f"days from {month}-10 until {month.last - DAY} facts 19"
    remove(20)
    assert first_line() == "an error"
    for day in range(10, 20):
        remove(day)
    remove(21)
    assert first_line() == "an error", "it does not begin with the first day"


def test_published_script_computes_every_figure(office: Office, tmp_path: Path) -> None:
    before, month = office.month(2), office.month(1)
    office.lives()
    office.ago(office.days_back_to(before))
    office.lives()
    office.ago(office.days_back_to(month))
    office.shop.pay(office.shop.place(1))
    office.shop.work()
    office.ago(office.days_back_to(month, 20))
    assert office.make_all() > 30
    key = office.write(tmp_path)
    done = by_script(key, tmp_path, month)
    assert done.returncode == 0, done.stderr
    computed = {
        name: tuple(map(int, numbers))
        for name, *numbers in map(str.split, done.stdout.splitlines())
        if name != "days"
    }
    shown = figures_of(office, 1)
    assert computed == shown
    assert computed["opening"] == (0, 50_000)
    assert computed["sold"] == (12, 120_000)


def test_extract_is_made_once_and_missed_days_are_made_later(office: Office) -> None:
    office.lives()
    assert office.make_all() == 0, "the day is not over"
    office.ago(3)
    assert office.make_all() == 3
    assert office.make_all() == 0
    first, second, _ = office.extracts()
    assert first.rows == 19
    assert second.rows == 0
    with pytest.raises(psycopg.errors.UniqueViolation):
        office.shop.arrange(
            "INSERT INTO extracts (day, rows, size, sha256, manifest)"
            " VALUES (%s, 0, 0, sha256(''), '')",
            first.day,
        )


def test_worker_whose_clock_is_ahead_makes_no_extract_too_early(office: Office) -> None:
    office.lives()
    office.ago(1)
    office.make_all()
    shop, ahead, held = office.shop, MovedClock(), office.shop.container
    ahead.ahead = DAY
    service = StatementService(held.database, held.keyring, held.settings, ahead)
    assert shop.do(service.make_due()) == 0


def test_extract_of_unfinished_day_is_refused_by_database(office: Office) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="extract_is_of_a_day_that_is_over"):
        office.shop.arrange(
            "INSERT INTO extracts (day, rows, size, sha256, manifest)"
            " VALUES ((now() AT TIME ZONE 'Asia/Jakarta')::date, 0, 0, sha256(''), '')"
        )


def test_large_day_is_written_in_parts(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterai.regulator.service.ROWS_PER_PART", 5)
    office.lives()
    office.ago(2)
    office.make_all()
    [row] = office.shop.rows("SELECT count(*) AS parts FROM extract_parts WHERE part > 0")
    assert row["parts"] == 3
    key = office.write(tmp_path)
    checked = list(check_folder(tmp_path, public_key_of(key.read_bytes())))
    assert [one.rows for one in checked] == [one.rows for one in office.extracts()]


def test_row_names_neither_order_nor_account_and_links_facts_of_one_order(
    office: Office, tmp_path: Path
) -> None:
    office.lives()
    office.ago(1)
    office.make_all()
    office.write(tmp_path)
    [one] = office.extracts()
    text = gzip.decompress((tmp_path / file_name(one.day)).read_bytes()).decode()
    rows = [json.loads(line) for line in text.splitlines()]
    assert {"at", "fact", "of", "rupiah", "stamps"} == set(rows[0])
    for found in office.shop.rows("SELECT account_id, subject FROM entries"):
        for value in found.values():
            assert value.hex not in text
            assert str(value) not in text
    links = {row["of"] for row in rows}
    subjects = office.shop.rows("SELECT DISTINCT subject FROM entries")
    assert len(links) == len(subjects)


@pytest.mark.parametrize("what", ["file", "manifest", "row", "day"])
def test_changed_extract_is_found(office: Office, tmp_path: Path, what: str) -> None:
    office.lives()
    office.ago(2)
    office.make_all()
    key = public_key_of(office.write(tmp_path).read_bytes())
    first, second = (one.day for one in office.extracts())
    match what:
        case "file":
            path = tmp_path / file_name(first)
            path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
        case "manifest":
            path = tmp_path / f"{first}.json"
            path.write_bytes(path.read_bytes().replace(b'", "', b'" ,"', 1))
        case "row":
            (tmp_path / file_name(second)).write_bytes((tmp_path / file_name(first)).read_bytes())
        case _:
            (tmp_path / f"{second}.json").write_bytes((tmp_path / f"{first}.json").read_bytes())
    with pytest.raises(ExtractWrong):
        list(check_folder(tmp_path, key))


def test_every_byte_of_a_manifest_is_signed(office: Office, tmp_path: Path) -> None:
    office.lives()
    office.ago(1)
    office.make_all()
    key = public_key_of(office.write(tmp_path).read_bytes())
    [one] = office.extracts()
    path, content = tmp_path / f"{one.day}.json", one.manifest.encode()
    for place in range(0, len(content), 7):
        for bit in (1, 2, 32):
            path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            with pytest.raises(ExtractWrong):
                list(check_folder(tmp_path, key))


def test_closing_needs_two_people_and_freezes_figures(office: Office) -> None:
    shop, month = office.shop, office.month(1)
    office.lives()
    office.ago(office.days_back_to(month))
    office.make_all()
    assert office.statement(month).state is MonthState.OVER
    before = figures_of(office, 1)
    asks, approves = member(shop, "finance"), member(shop, "finance")
    asked = {"month": str(month)}
    forecast = asks.forecast("statements close", **asked)
    assert {one.word for one in forecast.effects} >= {"statement_closed", "statement_due"}
    pulled = asks.pull("statements close", **asked)
    assert not pulled.is_done
    assert office.statement(month).state is MonthState.OVER
    approves.decide(pulled)
    found = office.statement(month)
    assert found.state is MonthState.CLOSED
    office.lives()  # later entries
    assert figures_of(office, 1) == before
    assert figures_of(office, 0)["opening"] == before["closing"]
    with pytest.raises(MonthClosed):
        asks.forecast("statements close", **asked)
    with pytest.raises(MonthNotOver):
        asks.forecast("statements close", month=str(office.month()))


def by_sql(office: Office, *statements: str) -> None:
    """Run statements with the rights of the application's role."""

    async def write(tx: Tx) -> None:
        for one in statements:
            await tx.run(one)

    office.shop.do(office.shop.container.database.run(write))


def test_figures_of_unclosed_month_are_found_by_the_audit(office: Office) -> None:
    month = office.month(1)
    office.lives()
    office.ago(office.days_back_to(month))
    office.make_all()
    by_sql(
        office,
        f"INSERT INTO statements (month) VALUES ('{month.first}')",
        f"INSERT INTO statement_sums SELECT '{month.first}', reason, book, sum(entries), sum(amount)"
        f" FROM extract_sums WHERE day BETWEEN '{month.first}' AND '{month.last}' GROUP BY reason, book",
    )
    assert office.statement(month).state is MonthState.CLOSED
    assert broken(office) == {"closed_months_are_in_the_trail"}


def warning_and_items(office: Office) -> tuple[str | None, list[object]]:
    """The warning of /readyz, and the items of the work list."""
    container = office.shop.container

    async def look() -> tuple[str | None, Sequence[WorkItem]]:
        async with container.database.reading() as tx:
            waits = await ROOM.work[0].waiting(tx, container.settings, container.clock.now(), 10)
        return await ROOM.warns["extracts_stopped"](container), waits

    warned, items = office.shop.do(look())
    facts = [one for item in items for one in item.facts.values() if one]
    return warned, facts


@pytest.mark.parametrize("manifest", ["junk", "of another key", "of another day"])
def test_no_extract_follows_one_with_foreign_signature(office: Office, manifest: str) -> None:
    office.lives()
    office.ago(3)
    assert office.shop.do(office.service.make_due()) == 1
    assert warning_and_items(office) == (
        f"{office.today() - 2 * DAY} is missing",
        [str(office.today() - 2 * DAY)],
    )
    [first] = office.extracts()
    forged = office.today() - 2 * DAY
    match manifest:
        case "of another key":
            made = ExtractManifest(forged, 0, 0, hashlib.sha256().digest(), Sums(), {}, "")
            text = made.signed(DocumentSigner(bytes(32)), by="x", specimen=True)
        case "of another day":
            text = first.manifest
        case _:
            text = "junk"
    by_sql(
        office,
        "INSERT INTO extracts (day, rows, size, sha256, manifest)"
        f" VALUES ('{forged}', 0, 0, sha256(''), '{text}')",
    )
    with pytest.raises(ExtractWrong):
        office.make_all()
    assert len(office.extracts()) == 2
    assert warning_and_items(office) == (f"{forged} is not signed by us", [str(forged)])
    assert {"extracts_are_signed_by_us", "extracts_are_as_they_were_signed"} <= broken(office)


def test_continuing_extracts_cause_no_warning(office: Office) -> None:
    office.lives()
    office.ago(3)
    office.make_all()
    assert warning_and_items(office) == (None, [])
    assert broken(office) == set()


def test_supervisor_may_not_close(office: Office) -> None:
    desk = member(office.shop, "regulator")
    with pytest.raises(NotPermitted):
        desk.forecast("statements close", month=str(office.month(1)))


def broken(office: Office) -> set[str]:
    container = office.shop.container
    mine = [one for one in INVARIANTS if one.name.startswith(("extract", "closed_months"))]
    found = list(office.shop.do(audit(container.database, mine)).findings)
    part = AuditedPart(
        container.database, container.settings, None, begin_of(read_day("2025-01-01"))
    )

    async def look() -> list[InvariantFinding]:
        return [await check(part) for check in CHECKS]

    found += office.shop.do(look())
    return {one.invariant.name for one in found if not one.holds}


@pytest.mark.parametrize(
    ("spoilt", "name"),
    [
        ("UPDATE extracts SET rows = rows + 1", "extracts_are_as_they_were_signed"),
        ("UPDATE extract_sums SET amount = amount + 1", "extracts_are_as_they_were_signed"),
        (
            "DELETE FROM extracts WHERE day = (SELECT min(day) + 1 FROM extracts)",
            "extracts_are_as_they_were_signed",
        ),
        (
            "DELETE FROM extract_parts WHERE day = (SELECT min(day) FROM extracts)",
            "extract_files_are_whole",
        ),
        ("UPDATE statement_sums SET amount = amount + 1", "closed_months_stay_as_they_were_told"),
        (
            "UPDATE legs SET credit = credit + 10000 WHERE book = 'duty_payable' AND credit > 0",
            "extracts_are_what_the_books_say",
        ),
        (
            "UPDATE entries SET posted_at = posted_at - interval '1 day' WHERE reason = 'stamps_affixed'",
            "extracts_are_what_the_books_say",
        ),
        (
            "UPDATE extract_parts SET content = set_byte(content, 20, 0) WHERE octet_length(content) > 100",
            "extracts_are_what_the_books_say",
        ),
    ],
)
def test_later_change_is_found_by_the_audit(office: Office, spoilt: str, name: str) -> None:
    month = office.month(1)
    office.lives()
    office.ago(office.days_back_to(month))
    office.make_all()
    one = member(office.shop, "finance")
    member(office.shop, "finance").decide(one.pull("statements close", month=str(month)))
    assert broken(office) == set()
    office.shop.arrange(spoilt)
    assert name in broken(office)


@pytest.mark.parametrize("language", ["id", "en"])
def test_files_of_unfinished_month_are_marked_in_name_and_cells(
    office: Office, language: str
) -> None:
    office.lives()
    found = office.statement(office.month())
    days = office.shop.do(office.service.days(found.month))
    mark = {"id": "BELUM SELESAI", "en": "INCOMPLETE"}[language]
    for table in TABLES:
        name = name_of_file(found, table, "csv", language)
        assert {"id": "belum-selesai", "en": "incomplete"}[language] in name
        text = csv_of(found, days, table, language).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter={"id": ";", "en": ","}[language]))
        assert all(row[1].startswith(mark) for row in rows[1:])
        assert all(row[0] == str(found.month) for row in rows[1:])
    book = zipfile.ZipFile(io.BytesIO(xlsx_of(found, days, language)))
    shared = book.read("xl/sharedStrings.xml").decode()
    assert mark in shared
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>110000</v>" in sheet
    assert "<f>" not in sheet


def test_evidence_of_unaffixed_stamp_has_no_seal(office: Office) -> None:
    shop = office.shop
    shop.pay(shop.place(1))
    shop.work()
    shop.reserve(1)
    [row] = shop.rows("SELECT serial FROM stamps")
    content = shop.do(shop.container.of(EvidenceService).packed(read_serial(row["serial"])))
    held = check_evidence(content, office.service.signer.public_key())
    assert held.stamp["state"] == "reserved"
    assert held.stamp["sha256_stamped"] is None
    assert "delta.bin" not in held.manifest["files"]
    with pytest.raises(EvidenceWrong):
        check_evidence(content, bytes(32))


def test_entries_of_evidence_omit_number_of_payers_bank(office: Office) -> None:
    shop = office.shop
    shop.pay(shop.place_documents([1]))
    shop.work()
    [row] = shop.rows("SELECT serial FROM stamps")
    content = shop.do(shop.container.of(EvidenceService).packed(read_serial(row["serial"])))
    entries = zipfile.ZipFile(io.BytesIO(content)).read(ENTRIES).decode()
    [paid] = shop.rows("SELECT attempt_id, payment FROM captures")
    assert f"captured:{paid['attempt_id']}" in entries
    assert paid["payment"] not in entries
