"""The stand-in bank can be set to give any answer, and to play every kind of chargeback."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from meterai.kit.money import Rupiah
from meterai.payments import OutcomeUnknown
from meterai.payments.model import Payment, PaymentIdentity, ProviderStatus
from tests.support.bank import Bank, open_bank


def with_bank(directory: Path, story: Callable[[Bank], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_bank(directory) as bank:
            await story(bank)

    asyncio.run(run())


def test_overrides_apply_in_order_and_survive_a_restart(tmp_path: Path) -> None:
    async def before(bank: Bank) -> None:
        await bank.paid("EM-1")
        await bank.answers("query", {"status": 500, "times": 2}, {"body": "<html>"})
        with pytest.raises(OutcomeUnknown):
            await bank.provider.ask(PaymentIdentity(reference="EM-1"))

    async def after(bank: Bank) -> None:
        assert [one["times"] for one in await bank.look("answers")] == [1, 1]
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                await bank.provider.ask(PaymentIdentity(reference="EM-1"))
        assert (
            await bank.provider.ask(PaymentIdentity(reference="EM-1"))
        ).status is ProviderStatus.PAID

    with_bank(tmp_path, before)
    with_bank(tmp_path, after)


def notifications(directory: Path) -> list[dict[str, Any]]:
    """The bodies of the notifications in the bank's store, oldest first."""
    with sqlite3.connect(directory / "bank.sqlite") as store:
        return [json.loads(body) for (body,) in store.execute("SELECT body FROM notification")]


def test_partial_chargebacks_are_notified_with_their_sum_so_far(tmp_path: Path) -> None:
    async def story(bank: Bank) -> None:
        qr, number = await bank.paid("EM-1")
        await bank.control("deny", qr_content=qr, amount=4_000)
        found = (await bank.provider.ask(PaymentIdentity(reference="EM-1"))).payments
        assert found == (
            Payment(number, Rupiah(10_000), ProviderStatus.PAID),
            Payment(number, Rupiah(4_000), ProviderStatus.FAILED),
        )
        await bank.control("faults", deny_without_rrn=1)
        await bank.control("deny", qr_content=qr)
        found = (await bank.provider.ask(PaymentIdentity(reference="EM-1"))).payments
        assert found == (Payment(number, Rupiah(10_000), ProviderStatus.FAILED),)

    with_bank(tmp_path, story)
    sent = notifications(tmp_path)
    assert [one["latestTransactionStatus"] for one in sent] == ["00", "06", "06"]
    assert [one["amount"]["value"] for one in sent] == ["10000.00", "4000.00", "10000.00"]
    assert ["rrn" in one["additionalInfo"] for one in sent] == [True, True, False]


def test_any_signed_body_is_sent(tmp_path: Path) -> None:
    async def story(bank: Bank) -> None:
        await bank.control("notify", body={"latestTransactionStatus": "99"}, external_id="7")
        await bank.control("notify", body='"text"')
        with pytest.raises(AssertionError, match="not_understood"):
            await bank.control("notify", body={}, external_id="7")
        with pytest.raises(AssertionError, match="not_understood"):
            await bank.control("notify", body=7)

    with_bank(tmp_path, story)
    assert notifications(tmp_path) == [{"latestTransactionStatus": "99"}, "text"]
