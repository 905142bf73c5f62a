"""Storm of faulty notifications about virtual accounts. Afterwards the books agree with the bank's accounting."""

import asyncio
from pathlib import Path

import pytest

from standins.bank import webhooks
from tests.support.banks import Banks, open_banks

ORDERS = 6
# A bank of profile `bri` takes back a payment that we refuse, and records it.
KEPT = "SELECT coalesce(sum(amount), 0)::bigint AS sum FROM captures WHERE denied_at IS NULL"


@pytest.mark.parametrize(("rail", "seed"), [("bank", 2026), ("bri", 9)])
def test_books_agree_with_the_bank_after_a_storm_of_news(
    database_url: str, tmp_path: Path, rail: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_SECONDS", 0.05)

    async def story(banks: Banks) -> None:
        numbers = []
        for _ in range(ORDERS):
            order = await banks.order(payment_method="va")
            numbers.append(order["payment"]["instructions"]["number"])
        storm = {"seed": seed, "share": 0.8, "seconds": 0.1, "kinds": ["news", "sending"]}
        await banks.control(rail, "storm", **storm)
        for number in numbers:
            # Without an inquiry, since a faulty inquiry would prevent every payment.
            assert (await banks.pay(rail, number, ask=False))[0] == 200
        struck = {one["fault"] for one in (await banks.look(rail, "storm"))["strikes"]}
        await banks.control(rail, "storm", seed=0, share=0.0)
        assert len(struck) > 3
        for _ in range(5):
            await banks.round()
        accounts = await banks.look(rail, "accounts")
        assert accounts["gross"] == ORDERS * 10_000
        assert await banks.rows(KEPT) == [{"sum": accounts["kept"]}]

    async def run() -> None:
        async with open_banks(database_url, tmp_path, payment_rails=rail) as banks:
            await story(banks)

    asyncio.run(run())
