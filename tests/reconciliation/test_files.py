"""Files of providers and banks: every sum is exact or rejected, and half a file is refused."""

import base64
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from xlsxwriter import Workbook

from meterai.kit.clock import WIB
from meterai.payments import Movement, UnmatchedLine, reference_of, refund_number
from meterai.reconciliation.files import FileRead, FileUnreadable, read
from meterai.reconciliation.files.amounts import read_sum
from meterai.reconciliation.files.moments import read_moment

FLOAT_ACCOUNT = "8800000002"
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
    """Our reference as an order_id of Midtrans."""
    return base64.urlsafe_b64encode(OURS.bytes + ATTEMPT.bytes).decode().rstrip("=")


def taken(
    path: Path, content: str | bytes, day: date = DAY, accounts: Sequence[str] = ()
) -> tuple[list[Movement], list[UnmatchedLine], FileRead]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    names = dict.fromkeys(accounts, "account") | {FLOAT_ACCOUNT: "float"}
    of = FileRead(day, frozenset({"G1"}), frozenset(accounts), names)
    found = list(read(path, of))
    movements = [one for one in found if isinstance(one, Movement)]
    return movements, [one for one in found if isinstance(one, UnmatchedLine)], of


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
        *(
            "9" * 16,
            "0x10",
            "10_000",
            "1.234.56",
            "1e4",
            "1E4",
            "=10500",
            "10500+1",
            "\uff11\uff10\uff15\uff10\uff10",
        ),
    ],
)
def test_text_without_exactly_one_sum_has_none(text: str) -> None:
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


def test_balance_report_is_read_with_its_fees_and_refunds(tmp_path: Path) -> None:
    movements, unmatched, of = taken(tmp_path / "a.csv", table(PAID, FEE, BACK))
    assert (unmatched, of.faults, of.layout) == ([], [], "balance")
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
    movements, unmatched, _ = taken(tmp_path / "a.csv", text.encode(encoding))
    assert (len(movements), unmatched) == (1, [])


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
    movements, unmatched, _ = taken(tmp_path / "a.csv", table(paid, back, other, head=head))
    first, second = movements
    assert (first.payment, first.reference) == ("midtrans:6f1f9c9e", REFERENCE)
    assert first.fee is not None
    assert first.tax is not None
    assert (first.fee.value, first.tax.value) == (140, 15)
    assert (second.kind, second.refund_number, second.amount.value) == ("refund", REFUND, 10_000)
    assert [one.why for one in unmatched] == ["of another merchant"]


STATEMENT = """BANK CONTOH
Rekening;123456

Tanggal;Keterangan;Debet;Kredit;Saldo
29/11/2026;SETTLEMENT QRIS;;1.000.000,00;2.000.000,00
29/11/2026;BIAYA ADM;2.500,00;;1.997.500,00
29/11/2026;TRANSFER {refund};10.500,00;;1.987.000,00
30/11/2026;SETTLEMENT QRIS;;500.000,00;2.487.000,00
"""


def test_statement_is_read_below_its_preamble_and_for_one_day(tmp_path: Path) -> None:
    movements, unmatched, of = taken(tmp_path / "a.csv", STATEMENT.format(refund=REFUND))
    assert [(one.kind, one.amount.value) for one in movements] == [
        ("settlement", 1_000_000),
        ("fee", 2_500),
        ("transfer", 10_500),
    ]
    assert movements[2].refund_number == REFUND
    assert (unmatched, of.elsewhere, of.faults) == ([], 1, [])


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
    movements, unmatched, of = taken(
        tmp_path / "a.sta", MT940.format(middle="", closing="1047500,00")
    )
    assert (unmatched, of.faults, of.layout) == ([], [], "mt940")
    assert [(one.kind, one.amount.value, one.payment) for one in movements] == [
        ("settlement", 50_000, "BANKREF1"),
        ("fee", 2_500, "FEE9"),
    ]


def test_broken_line_of_mt940_stops_no_other_and_shows_in_the_balance(tmp_path: Path) -> None:
    middle = ":61:29NOV C5,00\n:86:X\n"
    movements, unmatched, of = taken(
        tmp_path / "a.sta", MT940.format(middle=middle, closing="1047505,00")
    )
    assert (len(movements), [one.why for one in unmatched]) == (2, ["a line that is no MT940"])
    assert of.faults == ["balances_differ"]


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
    assert [one.why for one in found if isinstance(one, UnmatchedLine)] == [
        "no readable sum of rupiah"
    ]


def test_formulas_dates_and_merged_cells_are_read_or_unmatched(tmp_path: Path) -> None:
    path, at = tmp_path / "a.xlsx", datetime(2026, 11, 29, 10, 30)  # noqa: DTZ001 - as a sheet has it
    with Workbook(str(path)) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, ["Tanggal", "Keterangan", "Debet", "Kredit"])
        for row in range(1, 7):
            sheet.write_datetime(row, 0, at, day)
            sheet.write(row, 1, "SETTLEMENT")
        sheet.write_formula(1, 3, "=500*2", None, 1_000)
        sheet.write_formula(2, 3, "=500*2")  # no value was computed
        sheet.write_formula(3, 3, "=1/0", None, "#DIV/0!")
        sheet.write_datetime(4, 3, at, day)
        sheet.write_boolean(5, 3, True)
        sheet.write_number(6, 3, 1e17)
        sheet.merge_range("A8:A9", at, day)
        sheet.write_row("B8", ["SETTLEMENT", "", 7])
        sheet.write_row("B9", ["SETTLEMENT", "", 8])
    found = list(read(path, FileRead(DAY)))
    sums = [(one.amount.value, one.moved_at) for one in found if isinstance(one, Movement)]
    assert sums == [(1_000, at.replace(tzinfo=WIB)), (7, at.replace(tzinfo=WIB))]
    whys = [one.why for one in found if isinstance(one, UnmatchedLine)]
    assert whys == ["no readable sum of rupiah"] * 5 + ["no readable time"]


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
        (PAID.replace("QRIS", "Q" * (10 << 20)), "a broken row"),
        (PAID.replace("QRIS", f'"{"Q" * (10 << 20)}"'), "a broken row"),
        (
            PAID.replace("10500.00,10500.00", "10,500.00,10500.00"),
            "a row with more cells than there are columns",
        ),
    ],
)
def test_unmatched_row_is_named_and_stops_no_other(tmp_path: Path, row: str, why: str) -> None:
    movements, unmatched, _ = taken(
        tmp_path / "a.csv", table(FEE.replace("10426", "0"), row, BACK.replace(",-74.00", ","))
    )
    assert why in [one.why for one in unmatched]
    assert any(one.kind == "refund" for one in movements)


def test_file_that_ends_in_a_row_is_half_a_file(tmp_path: Path) -> None:
    text = table(PAID, BACK)[:-40]
    assert taken(tmp_path / "a.csv", text)[2].faults == ["half_a_file"]


def test_sum_at_the_end_of_a_truncated_file_is_not_trusted(tmp_path: Path) -> None:
    rows = "Tanggal;Keterangan;Debet;Kredit\n29/11/2026;SETTLEMENT QRIS;;1.000"
    assert taken(tmp_path / "a.csv", rows)[2].faults == ["half_a_file"]
    assert taken(tmp_path / "a.csv", rows + "\n")[2].faults == []


@pytest.mark.parametrize(
    ("accounts", "faults"),
    [
        ((), []),
        (("1234567890123",), []),
        (("8800000001",), ["of_another_account"]),
    ],
)
def test_statement_of_another_account_is_recognized_by_its_number(
    tmp_path: Path, accounts: Sequence[str], faults: list[str]
) -> None:
    text = MT940.format(middle="", closing="1047500,00")
    assert taken(tmp_path / "a.sta", text, accounts=accounts)[2].faults == faults
    text = STATEMENT.format(refund=REFUND).replace("123456", "123-456-7890123")
    assert taken(tmp_path / "a.csv", text, accounts=accounts)[2].faults == faults


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\x03" * 100, "no_text"),
        (b"hello\nworld\n", "no_known_columns"),
        (b"PK\x03\x04 half of a workbook", "half_or_damaged BadZipFile"),
        (table(PAID).encode("utf-32"), "no_text"),
        (table(PAID).encode("cp500"), "no_known_columns"),
        (table(PAID).replace("Amount", "Nominal").encode(), "column_missing amount"),
        (table(PAID).replace("Currency", "Cur").encode(), "column_missing currency"),
        (table(PAID).replace("Balance", "Amount").encode(), "column_twice amount"),
    ],
)
def test_file_that_is_no_record_is_refused_with_the_fault(
    tmp_path: Path, content: bytes, code: str
) -> None:
    with pytest.raises(FileUnreadable) as found:
        taken(tmp_path / "a.csv", content)
    assert str(found.value) == code
