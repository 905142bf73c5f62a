"""The storm of the stand-in bank: its faults follow one seed, and its accounting adds up."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from standins.bank.storm import Settings, drawn
from tests.standins.test_bank_services import NUMBER, data, refund, tell
from tests.support.snap_partner import SnapPartner, account, money, transfer

SEED = 2026
# a truncated answer, or none
UNREADABLE = (aiohttp.ClientError, ValueError, TypeError)


def test_same_seed_draws_the_same_faults_and_another_seed_others() -> None:
    def faults(seed: int) -> list[object]:
        return [drawn(Settings(seed, share=0.5), "call 47", number) for number in range(100)]

    assert faults(1) == faults(1)
    assert faults(1) != faults(2)
    assert 30 < sum(one is not None for one in faults(1)) < 70


def test_storm_follows_its_seed_and_ends(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        await merchant.standin("storm", seed=SEED, share=0.5, kinds=["call"], seconds=0)
        for number in range(30):
            body = {
                "partnerReferenceNo": f"EM-{number}",
                "amount": money(1_000),
                "merchantId": "METERAI",
            }
            with suppress(*UNREADABLE):
                await merchant.call("47", body)
        found = await merchant.standin("storm")
        settings = Settings(SEED, 0.5, 0.0, ("call",))
        expected = [
            {"kind": "call 47", "number": number, "fault": one.fault}
            for number in range(1, 31)
            if (one := drawn(settings, "call 47", number))
        ]
        assert found["strikes"] == expected
        assert len(expected) > 5
        async with merchant.http.get(merchant.bank) as response:
            assert f"Storm, seed {SEED}" in await response.text()
        async with merchant.http.delete(f"{merchant.bank}/standin/storm") as response:
            assert (await response.json())["storm"] is None
        made = await merchant.call("27", account("EM-100", 1_000))
        assert data(made)["trxId"] == "EM-100"

    tell(story, tmp_path)


def test_money_adds_up_after_a_storm_over_payments_refunds_and_transfers(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        made = []
        for number in range(20):
            body = {
                "partnerReferenceNo": f"EM-{number}",
                "amount": money(10_000),
                "merchantId": "METERAI",
            }
            made.append((await merchant.call("47", body))["qrContent"])
        await merchant.call("27", account("EM-VA", 10_000))
        await merchant.standin("storm", seed=SEED, share=0.7, seconds=0.2)
        for content in made:
            await merchant.standin("pay", qr_content=content)
        await merchant.standin("va/pay", number=NUMBER, ask=False)
        for number in range(10):
            with suppress(*UNREADABLE):
                await merchant.call("78", refund(f"EM-{number}", f"R-{number}", 10_000))
                await merchant.call("18", transfer(f"T-{number}", 5_000))
        async with merchant.http.delete(f"{merchant.bank}/standin/storm") as response:
            strikes = (await response.json())["strikes"]
        assert {one["kind"].split()[0] for one in strikes} >= {"call", "news", "payment"}

        def adds_up(found: dict[str, Any]) -> bool:
            kept = found["gross"] - found["refunded"] - found["taken_back"]
            per_payment = all(
                one["kept"] == one["gross"] - one["refunded"] - one["taken_back"] >= 0
                for one in found["payments"]
            )
            is_float = found["float"] == 100_000_000 - found["transferred"]
            return bool(per_payment and is_float and kept == found["kept"] == found["held"])

        assert adds_up(await merchant.standin("accounts"))
        await merchant.until("accounts", lambda found: found["taken_back"] > 0)
        found = await merchant.standin("accounts")
        assert adds_up(found)
        assert found["gross"] > 21 * 10_000  # some payments were made twice

    tell(story, tmp_path)
