"""Export of complaints to the state's complaint system SP4N-LAPOR!.

Each complaint that waits for staff, or that another institution answers, has one row.  A row identifies nobody: it has no
account, no mail address and no order id, and addresses and long numbers in the person's words are masked.  The operator finds
the case by its number and contacts the person.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from meterai.cases.model import CASE_KIND, CaseState
from meterai.kit.clock import WIB
from meterai.kit.ids import show
from meterai.kit.text import one_line
from meterai.kit.working_hours import WorkingHours, due
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.messages import translate

# Working days within which SP4N-LAPOR! promises to forward a report, and to act on it.
FORWARD_DAYS, ACT_DAYS = 3, 5
HANDED_MAX = 100_000  # complaints per file
STATEMENT_SECONDS_MAX = 120
TITLE_LENGTH_MAX = 120  # characters of the title of a report
CATEGORY = "Bea Meterai"
MASK = "[disamarkan]"
_MAIL = re.compile(r"[^\s@,;]{1,64}@[^\s@,;]{1,255}")
# Phones, bank accounts, identity numbers (NIK): six digits and more.
_NUMBER = re.compile(r"\+?\d(?:[ .\-/]?\d){5,}")
_OURS = re.compile(r"\b(?:ord|stg|rfd|cas|acc)_[0-9a-z]{8,}", re.IGNORECASE)
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
)  # prefixes that a spreadsheet may read as a formula

HANDED = """
SELECT c.case_id AS id, c.matter, c.state, c.outcome, c.opened_at, c.due_at, c.answered_at, c.times_told AS told,
       coalesce((SELECT m.words FROM case_messages m WHERE m.account_id = c.account_id AND m.case_id = c.case_id
                 AND m.kind = 'complaint' ORDER BY m.message_id LIMIT 1), '') AS words
FROM cases c
WHERE c.opened_at >= %s AND c.opened_at < %s AND (c.state = 'open' OR c.outcome = 'not_ours')
ORDER BY c.opened_at, c.case_id LIMIT %s
"""


class HandOverFormat(StrEnum):
    """Format of the export file: a table, or one JSON object per line."""

    CSV = "csv"
    JSON = "jsonl"


@dataclass(frozen=True, slots=True)
class WaitingComplaint:
    """A complaint that waits for staff, or that another institution answers."""

    id: UUID
    matter: str
    state: str
    outcome: str | None
    opened_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    told: int
    words: str


@dataclass(frozen=True, slots=True)
class HandOverRow:
    """A row of the export with the field names of SP4N-LAPOR!; times are in WIB."""

    nomor_pengaduan: str
    klasifikasi: str
    judul: str
    isi: str
    kategori: str
    tanggal_kejadian: str
    instansi_tujuan: str
    status: str
    jawaban_sementara: str
    batas_jawaban: str
    teruskan_sebelum: str
    tindak_lanjut_sebelum: str
    jumlah_disampaikan: int
    anonim: str


_WAITING = RowMapper(WaitingComplaint)


async def waiting(tx: ReadTx, begin: datetime, end: datetime) -> list[WaitingComplaint]:
    """Return the complaints of a period that wait for staff, or that another institution answers."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    return await tx.all_as(_WAITING, HANDED, begin, end, HANDED_MAX)


def masked(words: str) -> str:
    """Return words on one line, with addresses, long numbers and our ids masked."""
    text = one_line(words.replace("\n", " "))
    for pattern in (_MAIL, _OURS, _NUMBER):
        text = pattern.sub(MASK, text)
    return text


def report(one: WaitingComplaint, operator: str, calendar: WorkingHours) -> HandOverRow:
    """Return a complaint as a row of the export; `operator` is the operator's name."""
    title = translate(f"matter.{one.matter}", "id")
    is_open = one.state == CaseState.OPEN
    return HandOverRow(
        nomor_pengaduan=show(CASE_KIND, one.id),
        klasifikasi="Pengaduan",
        judul=title[:TITLE_LENGTH_MAX],
        isi=masked(one.words),
        kategori=CATEGORY,
        tanggal_kejadian=f"{one.opened_at.astimezone(WIB):%Y-%m-%d}",
        instansi_tujuan=operator if is_open else "",
        status="menunggu petugas" if is_open else "kewenangan instansi lain",
        jawaban_sementara="ada" if one.answered_at else "belum ada",
        batas_jawaban=_moment(one.due_at),
        teruskan_sebelum=_moment(_after(one.opened_at, FORWARD_DAYS, calendar)),
        tindak_lanjut_sebelum=_moment(_after(one.opened_at, ACT_DAYS, calendar)),
        jumlah_disampaikan=one.told,
        anonim="ya",
    )


def _after(at: datetime, days: int, calendar: WorkingHours) -> datetime:
    hours = (
        datetime.combine(at, calendar.ends) - datetime.combine(at, calendar.starts)
    ).total_seconds() / 3_600
    return due(at, days * hours, calendar)


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(WIB):%Y-%m-%dT%H:%M:%S%z}" if at else ""


def harmless(cell: object) -> object:
    """Return a cell; a text that a spreadsheet may read as a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def written(reports: Sequence[HandOverRow], form: HandOverFormat) -> bytes:
    """Return the content of the export file: CSV with a byte order mark, by which spreadsheets detect UTF-8, or JSON lines."""
    if form is HandOverFormat.JSON:
        return b"".join(msgspec.json.encode(one) + b"\n" for one in reports)
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    names = [one.name for one in fields(HandOverRow)]
    table.writerow(names)
    table.writerows([harmless(getattr(one, name)) for name in names] for one in reports)
    return out.getvalue().encode("utf-8-sig")
