"""Transfers by two banks: if one does not answer or has too little money, the other one transfers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from meterai import payments
from meterai.payments import Rails, RefundPayee, RefundSender
from meterai.payments.transfers.service import TransferSender
from meterai.plumbing.work.outgoing import CircuitState
from tests.support.banks import Banks, open_banks

PRICE = 10_000
PAYEE = RefundPayee("014", "1234567890", "BUDI SANTOSO")


def play(database_url: str, directory: Path, story: Callable[[Banks], Awaitable[None]]) -> None:
    async def run() -> None:
        more = {"transfer_small_rupiah": 1}
        async with open_banks(database_url, directory, "bank bri", **more) as banks:
            await story(banks)

    asyncio.run(run())


async def give_back(banks: Banks) -> None:
    """The buyer of an order paid into a virtual account requests a refund, and names an account."""
    before = len(await banks.rows("SELECT 1 FROM notification_inbox"))
    order = await banks.order(payment_method="va")
    assert (await banks.pay("bank", order["payment"]["instructions"]["number"]))[0] == 200
    await banks.outcomes(before + 1)
    await banks.work()
    assert (await banks.asked("/v1/refunds", {"order_id": order["id"]})).status == 201
    await banks.web.container.of(RefundSender).send_due()
    [row] = await banks.rows("SELECT way, tries FROM refunds ORDER BY refund_id DESC LIMIT 1")
    assert row["way"] != "provider", "SNAP BI gives nothing of an account back"
    assert row["tries"] == 0
    async with banks.web.container.database.transaction() as tx:
        await payments.name_payee(tx, banks.account, PAYEE)


async def carried_out(banks: Banks) -> list[tuple[str, str, int]]:
    """Plan and send transfers; return each, oldest first."""
    sender = banks.web.container.of(TransferSender)
    await sender.plan()
    await sender.send_due()
    await banks.work()
    found = await banks.rows("SELECT provider, state, amount FROM transfers ORDER BY transfer_id")
    return [(row["provider"], row["state"], row["amount"]) for row in found]


def test_float_that_is_too_low_leaves_a_transfer_to_another_bank(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        await banks.control("bank", "money", amount=-100_000_000 + PRICE // 2)
        sender = banks.web.container.of(TransferSender)
        await sender.weigh()
        await give_back(banks)
        assert await carried_out(banks) == [("bri", "settled", PRICE)]
        async with banks.web.container.database.reading() as tx:
            floats = await payments.floats(tx)
        free = {one.provider: one.free for one in floats.balances}
        assert free == {"bank": PRICE // 2, "bri": 100_000_000 - PRICE}
        assert floats.need.settled == PRICE
        assert floats.days == sum(free.values()) * 7 / PRICE

    play(database_url, tmp_path, story)


def test_transfer_not_begun_by_a_silent_bank_uses_another_bank(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        await give_back(banks)
        sender = banks.web.container.of(TransferSender)
        await sender.plan()
        outgoing = banks.web.container.of(Rails).outgoing("bank")
        outgoing._circuit.state = CircuitState.OPEN
        outgoing._circuit._opened_at = outgoing.clock()
        found = await carried_out(banks)
        assert found == [("bank", "void", PRICE), ("bri", "settled", PRICE)]
        outgoing._circuit.state = CircuitState.CLOSED
        await give_back(banks)
        assert (await carried_out(banks))[-1] == ("bank", "settled", PRICE)

    play(database_url, tmp_path, story)
