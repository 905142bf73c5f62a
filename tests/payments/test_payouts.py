"""Transfers at two kinds of SNAP bank: name of the holder, transfer, query, balance."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from meterai.kit.money import Rupiah
from meterai.payments import OutcomeUnknown, Payouts, ProviderRefused, Rails
from tests.support.banks import Banks, open_banks

ELSEWHERE, HERE = ("014", "1230001"), ("999", "1230002")
AMOUNT = Rupiah(10_000)


def play(
    database_url: str,
    directory: Path,
    rail: str,
    story: Callable[[Banks, Payouts], Awaitable[None]],
) -> None:
    async def run() -> None:
        async with open_banks(database_url, directory, payment_rails="bank bri doku") as banks:
            for bank, number in (ELSEWHERE, HERE):
                name = f"ANI {number}"
                await banks.control(rail, "customer", bank=bank, number=number, name=name)
            payouts = banks.web.container.of(Rails).payouts()
            assert list(payouts) == ["bank", "bri"]
            await story(banks, payouts[rail])

    asyncio.run(run())


async def made(banks: Banks, rail: str) -> list[tuple[str, int]]:
    found: list[dict[str, Any]] = await banks.look(rail, "transfers")
    return [(one["number"], one["amount"]) for one in found]


@pytest.mark.parametrize("rail", ["bank", "bri"])
@pytest.mark.parametrize("to", [ELSEWHERE, HERE], ids=["interbank", "intrabank"])
def test_money_is_transferred_once_to_an_account_with_a_known_holder(
    database_url: str, tmp_path: Path, rail: str, to: tuple[str, str]
) -> None:
    async def story(banks: Banks, payouts: Payouts) -> None:
        before = await payouts.balance()
        name = await payouts.account_name(*to, "Q-1")
        assert name == f"ANI {to[1]}"
        assert await payouts.transferred("T-1") is None
        sent = await payouts.transfer("T-1", *to, name, AMOUNT, "refund")
        assert await payouts.transfer("T-1", *to, name, AMOUNT, "refund") == sent
        assert await payouts.transferred("T-1") == sent
        # The same number with another sum is not the same transfer, even if the code says so.
        with pytest.raises(OutcomeUnknown):
            await payouts.transfer("T-1", *to, name, Rupiah(20_000), "refund")
        assert await made(banks, rail) == [("T-1", AMOUNT.value)]
        assert before - await payouts.balance() == AMOUNT

    play(database_url, tmp_path, rail, story)


def test_unknown_outcome_is_resolved_by_a_query(database_url: str, tmp_path: Path) -> None:
    async def story(banks: Banks, payouts: Payouts) -> None:
        await banks.control("bank", "faults", transfer_504_after_success=1)
        with pytest.raises(OutcomeUnknown):
            await payouts.transfer("T-1", *ELSEWHERE, "ANI", AMOUNT, "refund")
        found = await payouts.transferred("T-1")
        assert found is not None
        assert await payouts.transfer("T-1", *ELSEWHERE, "ANI", AMOUNT, "refund") == found
        slow = {"transfers_pending": 1, "transfer_settles_after_seconds": 60}
        await banks.control("bank", "faults", **slow)
        with pytest.raises(OutcomeUnknown):
            await payouts.transfer("T-2", *ELSEWHERE, "ANI", AMOUNT, "refund")
        with pytest.raises(OutcomeUnknown, match="under way"):
            await payouts.transferred("T-2")
        await banks.control("bank", "transfer-returned", number="T-1")
        with pytest.raises(ProviderRefused, match="refunded"):
            await payouts.transferred("T-1")

    play(database_url, tmp_path, "bank", story)


def test_unknown_account_or_empty_float_is_refused(database_url: str, tmp_path: Path) -> None:
    async def story(banks: Banks, payouts: Payouts) -> None:
        with pytest.raises(ProviderRefused) as refusal:
            await payouts.account_name("014", "404", "Q-1")
        assert refusal.value.response_code == "4041611"
        balance = (await payouts.balance()).value
        await banks.control("bank", "money", amount=-balance)
        with pytest.raises(ProviderRefused) as refusal:
            await payouts.transfer("T-1", *ELSEWHERE, "ANI", AMOUNT, "refund")
        assert refusal.value.response_code == "4031814"
        assert await payouts.transferred("T-1") is None

    play(database_url, tmp_path, "bank", story)
