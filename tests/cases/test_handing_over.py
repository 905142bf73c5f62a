"""The hand-over file: what is not answered here, without saying whose it is."""

import csv
import io
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meterai.cases import Matter
from meterai.cases.handing_over import (
    MASK,
    HandOverFormat,
    HandOverRow,
    harmless,
    masked,
    report,
    waiting,
    written,
)
from meterai.cases.model import CaseEvent, CaseOutcome
from meterai.kit.working_hours import WorkingHours
from tests.cases.desk import Desk
from tests.support.commands import run_here

DAY = timedelta(days=1)
WORDS = (
    "Bayar dari 0812-3456-7890, NIK 3171 0101 0190 0001, surel budi@example.id,"
    " pesanan ord_06f9k2xxxxxxxxxxxxxxxxxxxx. Mohon\nbantuan!"
)


def handed(desk: Desk) -> list[HandOverRow]:
    async def look() -> list[HandOverRow]:
        now = datetime.now(UTC)
        async with desk.shop.container.database.reading() as tx:
            found = await waiting(tx, now - DAY, now + DAY)
        return [report(one, "PT Contoh", WorkingHours()) for one in found]

    return desk.shop.do(look())


def test_complaint_that_waits_for_staff_is_handed_over(desk: Desk) -> None:
    case = desk.complain(Matter.SOMETHING_ELSE, words=WORDS)
    [row] = handed(desk)
    assert row.nomor_pengaduan.startswith("cas_")
    assert (row.status, row.instansi_tujuan) == ("menunggu petugas", "PT Contoh")
    assert row.judul
    assert row.batas_jawaban < row.tindak_lanjut_sebelum
    assert row.teruskan_sebelum < row.tindak_lanjut_sebelum
    assert case.due_at is not None
    assert datetime.fromisoformat(row.batas_jawaban) == case.due_at.replace(microsecond=0)


def test_complaint_that_the_facts_answered_is_not_handed_over(desk: Desk) -> None:
    desk.complain(Matter.PAID_NOT_EXECUTED, desk.executed())
    assert handed(desk) == []


def test_complaint_of_another_institution_is_handed_over_when_it_is_closed(desk: Desk) -> None:
    case = desk.complain(Matter.SOMETHING_ELSE)
    desk.act(case, CaseEvent.CLOSED, CaseOutcome.NOT_OURS)
    [row] = handed(desk)
    assert (row.status, row.instansi_tujuan) == ("kewenangan instansi lain", "")
    other = desk.complain(Matter.INVALID_AT_AGENCY)
    desk.act(other, CaseEvent.CLOSED, CaseOutcome.EXPLAINED)
    assert len(handed(desk)) == 1


def test_nothing_says_whose_a_complaint_is(desk: Desk) -> None:
    desk.complain(Matter.SOMETHING_ELSE, desk.executed(), words=WORDS)
    [row] = handed(desk)
    for form in HandOverFormat:
        text = written([row], form).decode()
        for secret in ("0812", "3171", "budi", "example.id", "06f9k2", desk.email):
            assert secret not in text
        assert desk.shop.account.hex not in text
    assert row.isi.count(MASK) == 4
    assert row.isi.endswith("Mohon bantuan!")


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Bayar 10.500 dua kali", "Bayar 10.500 dua kali"),
        ("tanggal 3 Sep 2024 jam 12.28", "tanggal 3 Sep 2024 jam 12.28"),
        ("hubungi +62 811 980 9600", f"hubungi {MASK}"),
        ("rekening 1234567890", f"rekening {MASK}"),
        ("surel a@b.id,c@d.id", f"surel {MASK},{MASK}"),
    ],
)
def test_sums_and_days_stay_and_long_numbers_are_masked(words: str, kept: str) -> None:
    assert masked(words) == kept


@pytest.mark.parametrize("cell", ["=1+1", "+62", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_cell_that_a_spreadsheet_would_carry_out_is_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_formula_in_the_words_of_a_person_is_no_formula_in_the_table(desk: Desk) -> None:
    desk.complain(Matter.SOMETHING_ELSE, words='=HYPERLINK("http://jahat","klik")')
    text = written(handed(desk), HandOverFormat.CSV).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["isi"] == '\'=HYPERLINK("http://jahat","klik")'
    [line] = written(handed(desk), HandOverFormat.JSON).splitlines()
    assert json.loads(line)["isi"].startswith("=HYPERLINK")  # no spreadsheet reads it


def test_command_writes_a_file_of_its_owner_alone_and_never_over_another(
    desk: Desk, tmp_path: Path
) -> None:
    desk.complain(Matter.SOMETHING_ELSE)
    now = datetime.now(UTC)
    file = tmp_path / "lapor.csv"
    period = [(now - DAY).isoformat(), (now + DAY).isoformat()]
    words = ["cases", "hand-over", *period, "--file", str(file)]
    data = desk.shop.container.settings.process.directory
    url = desk.shop.container.database.url
    done = run_here(data, *words, METERAI_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [row] = csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
    assert row["klasifikasi"] == "Pengaduan"
    before = file.read_bytes()
    assert run_here(data, *words, METERAI_DATABASE_URL=url).returncode != 0
    assert file.read_bytes() == before
    other = [*words[:-1], str(tmp_path / "lapor.xlsx")]
    assert run_here(data, *other, METERAI_DATABASE_URL=url).returncode != 0
