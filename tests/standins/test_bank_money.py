"""Money at the stand-in bank: fees, settlement files, and statements of its accounts."""

import csv
import io
import re
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from standins import clock
from standins.bank import Fees
from standins.bank.accounts import OWN_ACCOUNT
from tests.standins.test_bank_services import NUMBER, paid_qr, refund, tell
from tests.support.snap_partner import SnapPartner, account, transfer

FEES = Fees(qris_basis_points=70, virtual_account=4_000, transfer=2_500)
# Early on a day of the bank, so that no test runs over the end of a day.
MORNING = datetime(2026, 11, 30, 8, tzinfo=clock.WIB)
DAY, NEXT = date(2026, 11, 30), date(2026, 12, 1)


class Days:
    """The clock of the bank, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = MORNING
        monkeypatch.setattr(clock, "now_ms", lambda: round(self.now.timestamp() * 1000))

    async def pass_one(self, merchant: SnapPartner) -> None:
        self.now += timedelta(days=1)
        await merchant.log_in()


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(monkeypatch)


async def file(merchant: SnapPartner, day: date, kind: str, **query: str) -> bytes:
    url = f"{merchant.bank}/standin/files/{day}/{kind}"
    async with merchant.http.get(url, params=query) as response:
        assert response.status == 200, await response.text()
        return await response.read()


async def rows(merchant: SnapPartner, day: date, kind: str, **query: str) -> list[dict[str, str]]:
    text = (await file(merchant, day, kind, **query)).decode()
    return list(csv.DictReader(io.StringIO(text)))


async def a_day(merchant: SnapPartner) -> None:
    """Two payments by QR and one by virtual account; one is refunded in part, and one taken back."""
    await paid_qr(merchant, "EM-1", 100_000)
    lost = await paid_qr(merchant, "EM-2", 50_000)
    await merchant.call("27", account("EM-3", 20_000))
    await merchant.standin("va/pay", number=NUMBER, ask=False)
    await merchant.call("78", refund("EM-1", "R-1", 30_000))
    await merchant.standin("deny", qr_content=lost)


# 0.7 % of 100,000 and of 50,000 and 4,000; 11 % of each
GROSS, BACK, FEE, TAX = 170_000, 80_000, 700 + 350 + 4_000, 77 + 39 + 440
NET = GROSS - BACK - FEE - TAX


def test_accounts_are_equal_to_the_rupiah_gross_and_net(tmp_path: Path, days: Days) -> None:
    async def story(merchant: SnapPartner) -> None:
        await a_day(merchant)
        found = await merchant.standin("accounts")
        sums = {name: found[name] for name in ("gross", "refunded", "taken_back", "fee", "tax")}
        assert sums == {
            "gross": GROSS,
            "refunded": 30_000,
            "taken_back": 50_000,
            "fee": FEE,
            "tax": TAX,
        }
        assert (found["net"], found["held"], found["settled"]) == (NET, NET, 0)
        by_number = {one["partner_reference_no"]: one for one in found["payments"]}
        assert by_number["EM-1"]["net"] == 70_000 - 777
        assert by_number["EM-2"]["net"] == -389
        assert (by_number["EM-3"]["method"], by_number["EM-3"]["net"]) == ("va", 20_000 - 4_440)
        await days.pass_one(merchant)
        found = await merchant.standin("accounts")
        assert (found["held"], found["settled"], found["own"]) == (0, NET, NET)

    tell(story, tmp_path, fees=FEES)


def test_fee_is_returned_with_a_whole_refund(tmp_path: Path, days: Days) -> None:
    async def story(merchant: SnapPartner) -> None:
        content = await paid_qr(merchant, "EM-1", 100_000)
        await merchant.standin("deny", qr_content=content)
        assert (await merchant.standin("accounts"))["held"] == 0
        parts = [row["Line Type"] for row in await rows(merchant, DAY, "settlement.csv")]
        assert sorted(parts) == [
            "FEE",
            "FEE_REVERSAL",
            "TRANSACTION",
            "TRANSACTION",
            "VAT",
            "VAT_REVERSAL",
        ]
        await merchant.standin("win-back", qr_content=content)
        assert (await merchant.standin("accounts"))["held"] == 100_000 - 777

    tell(story, tmp_path, fees=Fees(qris_basis_points=70, is_returned=True))


def test_settlement_file_adds_up_and_is_paid_the_next_day(tmp_path: Path, days: Days) -> None:
    async def story(merchant: SnapPartner) -> None:
        await a_day(merchant)
        lines = await rows(merchant, DAY, "settlement.csv")
        assert sum(int(line["Amount"]) for line in lines) == NET == int(lines[-1]["Balance"])
        kinds = [(line["Transaction Type"], line["Line Type"]) for line in lines]
        assert kinds.count(("PAYMENT", "TRANSACTION")) == 3
        assert kinds.count(("PAYMENT", "FEE")) == kinds.count(("PAYMENT", "VAT")) == 3
        [back] = [line for line in lines if line["Transaction Type"] == "REFUND"]
        assert (back["Reference"], back["Amount"]) == ("R-1", "-30000")
        assert len({line["Transaction ID"] for line in lines}) == len(lines)

        await days.pass_one(merchant)
        [paid] = await rows(merchant, NEXT, "settlement.csv")
        assert (paid["Transaction Type"], int(paid["Amount"])) == ("WITHDRAWAL", -NET)
        assert int(paid["Balance"]) == 0
        [credited] = await rows(merchant, NEXT, "statement.csv")
        assert (credited["Credit"], credited["Reference"]) == (str(NET), "STL20261130")
        # A past day does not change.
        assert await rows(merchant, DAY, "settlement.csv") == lines

    tell(story, tmp_path, fees=FEES)


async def busy_account(merchant: SnapPartner, days: Days) -> None:
    """A settlement, a payout of duty, and a transfer of a refund with its fee, on the own account."""
    await a_day(merchant)
    await days.pass_one(merchant)
    number = "R" * 30
    body = transfer(number, 15_000) | {"sourceAccountNo": OWN_ACCOUNT}
    assert (await merchant.call("18", body))["responseCode"] == "2001800"
    await merchant.standin(
        "money",
        account=OWN_ACCOUNT,
        amount=-20_000,
        kind="payout",
        reference="pyo_1",
        remark="DUTY",
    )


AMOUNTS = [NET, -15_000, -2_500, -20_000]


def test_statement_has_the_same_content_in_csv_and_xlsx(tmp_path: Path, days: Days) -> None:
    async def story(merchant: SnapPartner) -> None:
        await busy_account(merchant, days)
        lines = await rows(merchant, NEXT, "statement.csv")
        found = [int(one["Credit"] or 0) - int(one["Debit"] or 0) for one in lines]
        assert found == AMOUNTS
        assert int(lines[-1]["Balance"]) == sum(AMOUNTS)

        book = zipfile.ZipFile(io.BytesIO(await file(merchant, NEXT, "statement.xlsx")))
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        cells = dict(re.findall(r'<c r="([A-Z]+[0-9]+)"><v>(-?[0-9]+)</v>', sheet))
        found = [
            int(cells.get(f"E{row}", 0)) - int(cells.get(f"D{row}", 0))
            for row in range(2, 2 + len(AMOUNTS))
        ]
        assert found == AMOUNTS
        assert f"F{2 + len(AMOUNTS)}" not in cells

    tell(story, tmp_path, fees=FEES)


def test_statement_is_read_by_an_independent_mt940_parser(tmp_path: Path, days: Days) -> None:
    mt940 = pytest.importorskip("mt940")

    async def story(merchant: SnapPartner) -> None:
        await busy_account(merchant, days)
        told = mt940.models.Transactions()
        told.parse((await file(merchant, NEXT, "statement.mt940")).decode())
        assert [int(one.data["amount"].amount) for one in told] == AMOUNTS
        assert {one.data["amount"].currency for one in told} == {"IDR"}
        assert [one.data["date"] for one in told] == [NEXT] * 4
        assert "R" * 30 in str(told[1].data["transaction_details"]).replace("\n", "")
        assert told[2].data["id"] == "NCHG"
        closing = told.data["final_closing_balance"]
        assert closing.amount.amount == sum(AMOUNTS)

    tell(story, tmp_path, fees=FEES)


def test_file_has_its_fault_once(tmp_path: Path, days: Days) -> None:
    async def story(merchant: SnapPartner) -> None:
        await a_day(merchant)
        whole = await file(merchant, DAY, "settlement.csv")

        async def spoiled(fault: str) -> bytes:
            await merchant.standin("faults", **{fault: 1})
            found = await file(merchant, DAY, "settlement.csv")
            assert await file(merchant, DAY, "settlement.csv") == whole
            return found

        assert await spoiled("file_half") == whole[: len(whole) // 2]
        lines = whole.splitlines()
        assert (await spoiled("file_line_twice")).splitlines() == [*lines, lines[1]]
        assert (await spoiled("file_line_missing")).splitlines() == lines[:-1]
        assert (await spoiled("file_other_encoding")).decode("utf-16").encode() == whole
        changed = (await spoiled("file_fee_rounded")).splitlines()
        [(one, other)] = [
            pair
            for pair in zip(lines, changed, strict=True)
            if pair[0].split(b",")[7] != pair[1].split(b",")[7]
        ]
        assert int(one.split(b",")[7]) - int(other.split(b",")[7]) == 1
        broken = (await spoiled("file_broken_row")).splitlines()
        assert len(broken) == len(lines)
        assert len([one for one in broken if one not in lines]) == 1

    tell(story, tmp_path, fees=FEES)


def test_page_of_history_has_its_fault_once(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        await paid_qr(merchant, "EM-1")
        await paid_qr(merchant, "EM-2")
        span = {
            "fromDateTime": "2020-01-01T00:00:00+07:00",
            "toDateTime": "2999-01-01T00:00:00+07:00",
        }

        async def lines() -> list[str]:
            found = (await merchant.call("12", span))["detailData"]
            return [one["additionalInfo"]["originalPartnerReferenceNo"] for one in found]

        await merchant.standin("faults", history_line_twice=1)
        assert await lines() == ["EM-1", "EM-2", "EM-1"]
        await merchant.standin("faults", history_line_missing=1)
        assert await lines() == ["EM-1"]
        assert await lines() == ["EM-1", "EM-2"]

    tell(story, tmp_path)


def test_state_and_money_outlive_a_restart(tmp_path: Path, days: Days) -> None:
    kept: dict[str, Any] = {}

    async def before(merchant: SnapPartner) -> None:
        await a_day(merchant)
        await merchant.call("18", transfer("T-1", 15_000))
        kept.update(await merchant.standin("accounts"))

    async def after(merchant: SnapPartner) -> None:
        assert await merchant.standin("accounts") == kept

    tell(before, tmp_path, fees=FEES)
    tell(after, tmp_path, fees=FEES)


def test_customer_is_added_and_closed(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        new = {"bank": "451", "number": "7100000001", "name": "PUTRI AYU"}
        await merchant.standin("customer", **new)
        asked = {"beneficiaryBankCode": "451", "beneficiaryAccountNo": "7100000001"}
        assert (await merchant.call("16", asked))["beneficiaryAccountName"] == "PUTRI AYU"
        await merchant.standin("customer", **new, state="closed")
        assert (await merchant.call("16", asked))["responseCode"] == "4031618"
        refused = await merchant.standin("customer", **new, state="lost")
        assert refused["error"] == "not_understood"

    tell(story, tmp_path)
