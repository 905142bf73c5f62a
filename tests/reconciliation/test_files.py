"""Files of providers and banks: every sum exactly or not at all, and nothing of half a file."""

import base64
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from xlsxwriter import Workbook

from meterai.payments import Movement, OddLine, reference_of, refund_number
from meterai.reconciliation.files import FileOdd, FileRead, read
from meterai.reconciliation.files.amounts import read_sum
from meterai.reconciliation.files.moments import read_moment

OURS, ATTEMPT = UUID(int=0x1_2345 << 64), UUID(int=0x6_789A << 64)
DAY = date(2026, 11, 29)
REFERENCE = reference_of(OURS, ATTEMPT)
REFUND = refund_number(OURS, ATTEMPT)
HEAD = (
    "Product ID,Transaction ID,Transaction Type,Line Type,Payment Channel,Reference,Currency,Amount,Balance,"
    "Created Date"
)
PAID = f"qrpy_1,txn_1,PAYMENT,TRANSACTION,QRIS,{REFERENCE},IDR,10500.00,10500.00,2026-11-29T10:00:00+07:00"
FEE = f"qrpy_1,txn_2,PAYMENT,FEE,QRIS,{REFERENCE},IDR,-74.00,10426.00,2026-11-29T10:00:00+07:00"
BACK = (
    f"rfd_1,txn_3,REFUND,TRANSACTION,QRIS,{REFUND},IDR,-10500.00,-74.00,2026-11-29T11:00:00+07:00"
)


def order_id() -> str:
    """Our reference as Midtrans has it."""
    return base64.urlsafe_b64encode(OURS.bytes + ATTEMPT.bytes).decode().rstrip("=")


def taken(
    path: Path, content: str | bytes, day: date = DAY
) -> tuple[list[Movement], list[OddLine], FileRead]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    of = FileRead(day, frozenset({"G1"}))
    found = list(read(path, of))
    movements = [one for one in found if isinstance(one, Movement)]
    return movements, [one for one in found if isinstance(one, OddLine)], of


def table(*rows: str, head: str = HEAD) -> str:
    return "\r\n".join((head, *rows)) + "\r\n"


@pytest.mark.parametrize(
    ("text", "rupiah", "is_in"),
    [
        ("10.000,00", 10_000, None),
        ("10000.00", 10_000, None),
        ("Rp 10.000", 10_000, None),
        ("Rp. 10.000,-", 10_000, None),
        ("(10.000)", 10_000, False),
        ("(Rp 10.000,00)", 10_000, False),
        ("10.000 CR", 10_000, True),
        ("10.000,00 DB", 10_000, False),
        ("1,234,567.00", 1_234_567, None),
        ("10,000", 10_000, None),
        ("10.00", 10, None),
        ("-10.000", 10_000, False),
        ("10.000-", 10_000, False),
        ("10.000 IDR", 10_000, None),
        ("IDR 10,000.00 K", 10_000, True),
        ("\u221210.000", 10_000, False),
        ("Rp\u00a010.000", 10_000, None),
    ],
)
def test_sum_is_read_exactly(text: str, rupiah: int, is_in: bool | None) -> None:
    assert read_sum(text) == (rupiah, is_in)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "ten", "1e5", "NaN", "10000.50", "10.000,01", "10,5", "10000.000", "1.00.000"),
        *(
            "10.000.00",
            "00100",
            "10 000",
            "-10.000 CR",
            "--5",
            "(-5)",
            "RpRp 10",
            "\u0661\u0660",
            "10.000 USD",
        ),
        *("9" * 16, "0x10", "10_000", "1.234.56"),
    ],
)
def test_text_that_is_no_sum_or_two_is_none(text: str) -> None:
    assert read_sum(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-29T10:00:00Z", "2026-11-29T10:00:00+00:00"),
        ("2026-11-29 10:00:00", "2026-11-29T10:00:00+07:00"),
        ("29/11/2026", "2026-11-29T00:00:00+07:00"),
        ("29 Nopember 2026 10.30", "2026-11-29T10:30:00+07:00"),
        ("29-Nov-2026 10:30:01", "2026-11-29T10:30:01+07:00"),
    ],
)
def test_moment_is_read_day_first_in_wib(text: str, told: str) -> None:
    found = read_moment(text)
    assert found is not None
    assert found.isoformat() == told


@pytest.mark.parametrize("text", ["13/14/2026", "20261129", "45000", "", "yesterday", "31/02/2026"])
def test_text_that_is_no_moment_is_none(text: str) -> None:
    assert read_moment(text) is None


def test_balance_report_is_read_with_its_fees_and_refunds(tmp_path: Path) -> None:
    movements, odd, of = taken(tmp_path / "a.csv", table(PAID, FEE, BACK))
    assert (odd, of.faults, of.layout) == ([], [], "balance")
    paid, fee, back = movements
    assert (paid.kind, paid.payment, paid.reference, paid.amount.value) == (
        "payment",
        "qrpy_1",
        REFERENCE,
        10_500,
    )
    assert (fee.kind, fee.amount.value) == ("fee", 74)
    assert (back.kind, back.refund_number, back.provider_refund_number) == (
        "refund",
        REFUND,
        "rfd_1",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_encoding_and_separator_is_read(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    more = PAID.replace("QRIS", "QRIS \u00e9")
    text = table(more).replace(",", separator)
    movements, odd, _ = taken(tmp_path / "a.csv", text.encode(encoding))
    assert (len(movements), odd) == (1, [])


def test_midtrans_settlement_is_read_with_our_reference(tmp_path: Path) -> None:
    head = (
        "order_id,transaction_id,transaction_time,settlement_time,payment_type,channel,line_type,refund_key,"
        "refund_id,amount,fee,tax,net_amount,currency,merchant_id"
    )
    paid = (
        f"{order_id()},6f1f9c9e,2026-11-29 08:10:00,2026-11-29 08:11:02,qris,gopay,settlement,,,20000.00,140.00,"
        "15.00,19845.00,IDR,G1"
    )
    back = (
        f"{order_id()},6f1f9c9e,2026-11-29 08:10:00,2026-11-29 09:00:00,qris,gopay,refund,{REFUND},c720,-10000.00,"
        "0.00,0.00,-10000.00,IDR,G1"
    )
    other = paid.replace(",G1", ",G2")
    movements, odd, _ = taken(tmp_path / "a.csv", table(paid, back, other, head=head))
    first, second = movements
    assert (first.payment, first.reference) == ("midtrans:6f1f9c9e", REFERENCE)
    assert first.fee is not None
    assert first.tax is not None
    assert (first.fee.value, first.tax.value) == (140, 15)
    assert (second.kind, second.refund_number, second.amount.value) == ("refund", REFUND, 10_000)
    assert [one.why for one in odd] == ["of another merchant"]


STATEMENT = """BANK CONTOH
Rekening;123456

Tanggal;Keterangan;Debet;Kredit;Saldo
29/11/2026;SETTLEMENT QRIS;;1.000.000,00;2.000.000,00
29/11/2026;BIAYA ADM;2.500,00;;1.997.500,00
29/11/2026;TRANSFER {refund};10.500,00;;1.987.000,00
30/11/2026;SETTLEMENT QRIS;;500.000,00;2.487.000,00
"""


def test_statement_is_read_below_its_preamble_and_for_one_day(tmp_path: Path) -> None:
    movements, odd, of = taken(tmp_path / "a.csv", STATEMENT.format(refund=REFUND))
    assert [(one.kind, one.amount.value) for one in movements] == [
        ("settlement", 1_000_000),
        ("fee", 2_500),
        ("transfer", 10_500),
    ]
    assert movements[2].refund_number == REFUND
    assert (odd, of.elsewhere, of.faults) == ([], 1, [])


def test_line_that_is_missing_shows_in_the_balance(tmp_path: Path) -> None:
    text = STATEMENT.format(refund=REFUND).replace(
        "29/11/2026;BIAYA ADM;2.500,00;;1.997.500,00\n", ""
    )
    _, odd, _ = taken(tmp_path / "a.csv", text)
    assert [one.why for one in odd] == ["a balance that does not follow from the line before"]


MT940 = """{{1:F01BMRIIDJAXXXX0000000000}}{{2:I940X}}{{4:
:20:STMT
:25:1234567890123
:28C:1/1
:60F:C261128IDR1000000,00
:61:2611291129C50000,00NTRFEM123//BANKREF1
:86:SETTLEMENT QRIS
{middle}:61:2611291129D2500,00NCHGNONREF//FEE9
:86:BIAYA ADM
:62F:C261129IDR{closing}
-}}
"""


def test_mt940_is_read_line_by_line(tmp_path: Path) -> None:
    movements, odd, of = taken(tmp_path / "a.sta", MT940.format(middle="", closing="1047500,00"))
    assert (odd, of.faults, of.layout) == ([], [], "mt940")
    assert [(one.kind, one.amount.value, one.payment) for one in movements] == [
        ("settlement", 50_000, "BANKREF1"),
        ("fee", 2_500, "FEE9"),
    ]


def test_broken_line_of_mt940_stops_no_other_and_its_balance_tells(tmp_path: Path) -> None:
    middle = ":61:29NOV C5,00\n:86:X\n"
    movements, odd, of = taken(
        tmp_path / "a.sta", MT940.format(middle=middle, closing="1047505,00")
    )
    assert (len(movements), [one.why for one in odd]) == (2, ["a line that is no MT940"])
    assert of.faults == ["balances_differ"]


def test_mt940_without_its_closing_balance_is_half_a_file(tmp_path: Path) -> None:
    text = MT940.format(middle="", closing="0").partition(":62F:")[0]
    assert taken(tmp_path / "a.sta", text)[2].faults == ["half_a_file"]


def test_workbook_is_read_with_its_numbers_and_dates(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = Workbook(str(path))
    sheet = book.add_worksheet()
    rows: Sequence[Sequence[object]] = [
        ["Tanggal", "Keterangan", "Debet", "Kredit", "Saldo"],
        ["29/11/2026", "SETTLEMENT", "", 1_000_000, 1_000_000],
        ["29/11/2026", "BIAYA", "2.500,00", "", 997_500],
        ["29/11/2026", "SEN", "", 10.5, 997_510.5],
    ]
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    of = FileRead(DAY)
    found = list(read(path, of))
    assert [one.amount.value for one in found if isinstance(one, Movement)] == [1_000_000, 2_500]
    assert [one.why for one in found if isinstance(one, OddLine)] == ["no readable sum of rupiah"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (PAID.replace("10500.00,10500.00", "10500.50,10500.00"), "no readable sum of rupiah"),
        (PAID.replace("IDR", "USD"), "of another currency"),
        (PAID.replace("2026-11-29", "2026-11-28"), "of another day"),
        (PAID.replace("PAYMENT,TRANSACTION", ","), "no kind that is known"),
        (PAID.replace("qrpy_1", "qrpy\ufffd"), "a number that is none"),
        (PAID.replace("10500.00,10500.00", "0.00,0.00"), "a sum of nothing"),
        (PAID.rpartition(",")[0].rpartition(",")[0], "a row that ends early"),
        ('"' + PAID, "a broken row"),
    ],
)
def test_odd_row_is_named_and_stops_no_other(tmp_path: Path, row: str, why: str) -> None:
    movements, odd, _ = taken(
        tmp_path / "a.csv", table(FEE.replace("10426", "0"), row, BACK.replace(",-74.00", ","))
    )
    assert why in [one.why for one in odd]
    assert any(one.kind == "refund" for one in movements)


def test_file_that_ends_in_a_row_is_half_a_file(tmp_path: Path) -> None:
    text = table(PAID, BACK)[:-40]
    assert taken(tmp_path / "a.csv", text)[2].faults == ["half_a_file"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\x03" * 100, "no_text"),
        (b"hello\nworld\n", "no_known_columns"),
        (b"PK\x03\x04 half of a workbook", "half_or_damaged"),
    ],
)
def test_file_that_is_no_record_is_named(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(FileOdd) as found:
        taken(tmp_path / "a.csv", content)
    assert found.value.code == code


def test_odd_line_tells_nothing_of_a_person(tmp_path: Path) -> None:
    text = STATEMENT.format(refund=REFUND).replace("BIAYA ADM;2.500,00", "BUDI SANTOSO;2,5")
    _, odd, _ = taken(tmp_path / "a.csv", text)
    assert odd
    assert all("BUDI" not in one.told for one in odd)
