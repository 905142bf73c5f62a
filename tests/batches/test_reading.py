"""Received rows: JSON lines and CSV, in the encodings and with the separators of Excel."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.batches.model import RowFacts, TypedRow, read_wishes, written
from meterai.batches.reading import csv_rows, in_rectangle, json_rows
from meterai.kit.refusal import Malformed

HEADER = "Nama File;Password;Tipe;Nomor;Tanggal;Tempat;NPWP/NIK;Nama;LLX;LLY;URX;URY"
ROW = 'surat, satu.pdf;;4a;12/2026;05/11/2026;Bandung;01.234.567.8-901.000;"PT Maju, Tbk";237,5;559;337;459'
FACTS = RowFacts(
    type="4a",
    number="12/2026",
    date="2026-11-05",
    place="Bandung",
    party_name="PT Maju, Tbk",
    party_number="012345678901000",
)


def table(text: str, encoding: str = "utf-8-sig") -> list[TypedRow]:
    """The rows of a table."""
    return csv_rows(text.encode(encoding))[0]


def codes(rows: list[TypedRow]) -> list[str]:
    """Codes of their refusals."""
    return [row.refusal.code if row.refusal else "" for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_table_of_the_market_is_read_as_excel_writes_it(encoding: str, newline: str) -> None:
    rows = table(newline.join((HEADER, ROW.replace("Maju", "Majú"))) + newline, encoding)
    (row,) = rows
    assert row.refusal is None
    assert row.document == "file:surat, satu.pdf"
    assert row.facts == msgspec.structs.replace(FACTS, party_name="PT Majú, Tbk")
    # The sample of the vendor has its corners swapped, and a decimal comma.
    assert row.wishes == (in_rectangle(1, 237.5, 459, 337, 559),)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("told", [True, False])
def test_separator_is_declared_or_detected(separator: str, told: bool) -> None:
    cells = ["a.pdf", "", "3", "7", "2026-11-05", "Jakarta", "3173010101010001", "Budi", *"1234"]
    head = separator.join(HEADER.split(";"))
    text = f"{head}\r\n{separator.join(cells)}\r\n"
    if told:
        text = f"sep={separator}\r\n{text}"
    (row,) = table(text)
    assert row.refusal is None
    assert row.facts.party_number == "3173010101010001"
    assert row.line == 2 + told


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (("4a", "5c"), "malformed"),
        (("05/11/2026", "31/02/2026"), "malformed"),
        (("05/11/2026", "11/26"), "malformed"),
        (("01.234.567.8-901.000", "1.23E+14"), "malformed"),
        (("237,5", "dua"), "malformed"),
        (("237,5", "1e999"), "malformed"),
        (("237,5", ""), "malformed"),
        (("surat, satu.pdf", "../../etc/passwd"), "file_name_unsafe"),
        (("surat, satu.pdf", "/etc/passwd"), "file_name_unsafe"),
        (("surat, satu.pdf", "C:\\surat.pdf"), "file_name_unsafe"),
        (("surat, satu.pdf", "surat, satu.pdf "), "file_name_unsafe"),
        (("surat, satu.pdf", ""), "malformed"),
        (("Maju", "Ma\0ju"), "row_unread"),
        ((";237,5;559;337;459", ";;;;"), "placement_missing"),
        ((";459", ";459;lebih"), "row_unread"),
    ],
)
def test_wrong_row_is_named_and_stops_no_other(cell: tuple[str, str], code: str) -> None:
    rows = table("\n".join((HEADER, ROW, ROW.replace(*cell), ROW.replace("satu", "tiga"))))
    assert codes(rows) == ["", code, ""]
    assert rows[1].line == 3


def test_unclosed_quotation_mark_costs_only_its_line() -> None:
    broken = ROW.replace('"PT Maju, Tbk"', '"PT Maju')
    rows = table("\n".join((HEADER, broken, *[ROW.replace("satu", str(at)) for at in range(40)])))
    assert codes(rows) == ["row_unread", *[""] * 40]


def test_unreadable_lines_are_identified_by_their_content() -> None:
    broken = ROW.replace('"PT Maju, Tbk"', '"PT Maju')
    one, other = (
        table(f"{HEADER}\n{line}\n")[0] for line in (broken, broken.replace("satu", "dua"))
    )
    assert (one.line, one.refusal is not None) == (other.line, other.refusal is not None)
    assert one.identity != other.identity
    (_, later) = table(f"{HEADER}\n{ROW}\n{broken}\n")
    assert later.identity == one.identity


@pytest.mark.parametrize(
    ("text", "rupiah"),
    [
        ("5000000", 5_000_000),
        ("Rp5.000.000,00", 5_000_000),
        ("5,000,000.00", 5_000_000),
        ("Rp 7.500,-", 7_500),
    ],
)
def test_value_is_read_as_people_write_it(text: str, rupiah: int) -> None:
    (row,) = table(f"file;nilai;llx;lly;urx;ury\na.pdf;{text};1;2;300;400")
    assert row.refusal is None
    assert row.facts.value == rupiah


GOOD = {"file": "a.pdf", "placement": {"page": 1, "x": 1, "y": 2, "width": 70}}


def test_row_is_identified_by_its_key_or_its_content() -> None:
    one, same, keyed, other = json_rows(
        b"\n".join(
            msgspec.json.encode(row)
            for row in (
                GOOD,
                dict(reversed(GOOD.items())),
                {**GOOD, "key": "k"},
                {**GOOD, "key": "k", "type": "3"},
            )
        )
    )
    assert one.identity == same.identity
    assert keyed.identity == other.identity != one.identity
    assert keyed.content != other.content


@given(st.binary(max_size=400))
def test_any_body_is_rows_or_one_refusal(body: bytes) -> None:
    for read in (json_rows, lambda text: csv_rows(text)[0]):
        try:
            rows = read(body)
        except Malformed:
            continue
        assert all(read_wishes(written(row.wishes)) == row.wishes for row in rows)
