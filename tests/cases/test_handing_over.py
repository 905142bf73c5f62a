"""Export for SP4N-LAPOR!: complaints not answered here, anonymously."""

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


def test_complaint_waiting_for_staff_is_exported(desk: Desk) -> None:
    case = desk.complain(Matter.SOMETHING_ELSE, words=WORDS)
    [row] = handed(desk)
    assert row.nomor_pengaduan.startswith("cas_")
    assert (row.status, row.instansi_tujuan) == ("menunggu petugas", "PT Contoh")
    assert row.judul
    assert row.batas_jawaban < row.tindak_lanjut_sebelum
    assert row.teruskan_sebelum < row.tindak_lanjut_sebelum
    assert case.due_at is not None
    assert datetime.fromisoformat(row.batas_jawaban) == case.due_at.replace(microsecond=0)


def test_complaint_for_another_institution_is_exported_after_closing(desk: Desk) -> None:
    case = desk.complain(Matter.SOMETHING_ELSE)
    desk.act(case, CaseEvent.CLOSED, CaseOutcome.NOT_OURS)
    [row] = handed(desk)
    assert (row.status, row.instansi_tujuan) == ("kewenangan instansi lain", "")
    other = desk.complain(Matter.INVALID_AT_AGENCY)
    desk.act(other, CaseEvent.CLOSED, CaseOutcome.EXPLAINED)
    assert len(handed(desk)) == 1


def test_exported_complaint_is_anonymous(desk: Desk) -> None:
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
def test_export_masks_long_numbers_and_keeps_amounts_and_days(words: str, kept: str) -> None:
    assert masked(words) == kept


def test_formula_in_a_complaint_is_quoted_in_the_table(desk: Desk) -> None:
    desk.complain(Matter.SOMETHING_ELSE, words='=HYPERLINK("http://jahat","klik")')
    text = written(handed(desk), HandOverFormat.CSV).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["isi"] == '\'=HYPERLINK("http://jahat","klik")'
    [line] = written(handed(desk), HandOverFormat.JSON).splitlines()
    assert json.loads(line)["isi"].startswith("=HYPERLINK")  # spreadsheets do not read JSON lines


def test_command_writes_a_private_new_file(desk: Desk, tmp_path: Path) -> None:
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
