"""The bank's own record, read over SNAP BI: complete, in order, page by page."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meterai.kit.money import Rupiah
from meterai.payments import Movement, OutcomeUnknown
from meterai.payments.adapters.snap import provider as snap
from meterai.payments.model import About
from standins import clock
from tests.support.bank import Bank, open_bank


@pytest.fixture(autouse=True)
def each_moment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two movements in one millisecond the record does not know which came first."""
    real, last = clock.now_ms, 0

    def later() -> int:
        nonlocal last
        last = max(last + 1, real())
        return last

    monkeypatch.setattr(clock, "now_ms", later)


async def record(bank: Bank) -> list[Movement]:
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=1)
    return [one async for one in bank.provider.history(begins, ends)]


def test_the_record_tells_what_came_what_went_back_and_what_was_taken(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            kept, first = await bank.paid("EM-1", 30_000)
            _, second = await bank.paid("EM-2", 10_000)
            made = await bank.provider.refund(
                About(reference="EM-2"), second, "RF-1", Rupiah(10_000)
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


def test_the_record_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_record_that_cannot_be_read_is_not_half_a_record(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            await bank.paid("EM-1")
            odd = ({"merge": {"detailData": [{"type": "PAYMENT"}]}}, {"drop": ["detailData"]})
            await bank.answers("history-list", *odd, {"body": "<html>", "status": 200})
            for _ in range(3):
                with pytest.raises(OutcomeUnknown):
                    await record(bank)
            assert len(await record(bank)) == 1

    asyncio.run(story())
