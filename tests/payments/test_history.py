"""The bank's own record, read over SNAP BI: complete, in order, page by page."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meterai.kit.money import Rupiah
from meterai.payments import Movement, OutcomeUnknown, UnmatchedLine
from meterai.payments.adapters.snap import provider as snap
from meterai.payments.model import PaymentIdentity
from standins import clock
from tests.support.bank import Bank, open_bank


@pytest.fixture(autouse=True)
def each_moment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record cannot order two movements in one millisecond."""
    real, last = clock.now_ms, 0

    def later() -> int:
        nonlocal last
        last = max(last + 1, real())
        return last

    monkeypatch.setattr(clock, "now_ms", later)


async def lines(bank: Bank) -> list[Movement | UnmatchedLine]:
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=1)
    return [one async for one in bank.provider.history(begins, ends)]


async def record(bank: Bank) -> list[Movement]:
    found = await lines(bank)
    assert all(isinstance(one, Movement) for one in found)
    return [one for one in found if isinstance(one, Movement)]


def test_record_has_payments_refunds_and_chargebacks(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            kept, first = await bank.paid("EM-1", 30_000)
            _, second = await bank.paid("EM-2", 10_000)
            made = await bank.provider.refund(
                PaymentIdentity(reference="EM-2"), second, "RF-1", Rupiah(10_000)
            )
            await bank.control("deny", qr_content=kept, amount=4_000)
            await bank.control("deny", qr_content=kept)
            by_hand, third = await bank.paid("EM-3")
            await bank.control("refund", qr_content=by_hand)
            found = await record(bank)
            assert [(one.kind, one.reference, one.payment, one.amount.value) for one in found] == [
                ("payment", "EM-1", first, 30_000),
                ("payment", "EM-2", second, 10_000),
                ("refund", "EM-2", second, 10_000),
                ("chargeback", "EM-1", first, 4_000),
                ("chargeback", "EM-1", first, 26_000),
                ("payment", "EM-3", third, 10_000),
                ("refund", "EM-3", third, 10_000),
            ]
            assert found[2].refund_number == "RF-1"
            assert found[2].provider_refund_number == made.provider_number
            totals = await bank.look("totals")
            assert totals == {"received": 50_000, "refunded": 20_000, "denied": 30_000}

    asyncio.run(story())


def test_record_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snap, "HISTORY_PAGE", 2)

    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            for number in range(4):
                await bank.paid(f"EM-{number}")
            assert [one.reference for one in await record(bank)] == [f"EM-{n}" for n in range(4)]
            now = datetime.now(UTC)
            late = now + timedelta(minutes=1), now + timedelta(minutes=2)
            assert [one async for one in bank.provider.history(*late)] == []

    asyncio.run(story())


def test_unmatched_line_of_the_record_hides_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            _, number = await bank.paid("EM-1")
            await bank.control("faults", other_merchant=1)
            [unmatched] = await lines(bank)
            assert isinstance(unmatched, UnmatchedLine)
            assert unmatched.why == "about another: merchant: asked METERAI, told OTHER-MERCHANT"
            await bank.control("faults", other_currency=1)
            [unmatched] = await lines(bank)
            assert isinstance(unmatched, UnmatchedLine)
            assert unmatched.why == "no readable sum of rupiah"
            assert (
                "amount=USD 10000.00, status=SUCCESS, originalPartnerReferenceNo=EM-1"
                in unmatched.told
            )
            [line] = await lines(bank)
            assert isinstance(line, Movement)
            assert line.payment == number

    asyncio.run(story())


def test_page_without_lines_is_no_record(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            await bank.paid("EM-1")
            await bank.answers(
                "history-list", {"drop": ["detailData"]}, {"body": "<html>", "status": 200}
            )
            for _ in range(2):
                with pytest.raises(OutcomeUnknown):
                    await record(bank)
            assert len(await record(bank)) == 1

    asyncio.run(story())
