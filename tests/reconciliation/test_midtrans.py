"""A day at Midtrans, which has no history, is compared by its settlement file, line by line."""

from pathlib import Path

from meterai.payments import PaymentService
from meterai.reconciliation.service import Reconciliation
from tests.support.midtrans import Kiosk, tell_story
from tests.support.records import TESTER, At, night, today
from tests.support.shop import PRICE


def test_lines_of_a_midtrans_settlement_file_agree_with_the_books(
    database_url: str, tmp_path: Path
) -> None:
    async def story(place: Kiosk) -> None:
        in_part, by_number = await place.paid(2), await place.paid(1, "va")
        charged_back, won = await place.paid(), await place.paid()
        await place.act("charge-back", in_part, amount=4_000)
        await place.act("deny", charged_back)
        await place.act("charge-back", won)
        await place.round()
        await place.act("win", won)
        await place.round()
        assert await place.state(by_number) == "executed"
        url = f"{place.url}/standin/files/{today()}/midtrans.csv"
        file = tmp_path / "midtrans.csv"
        async with place.http.get(url) as answer:
            file.write_bytes(await answer.read())
        within = place.web.container
        service = Reconciliation(
            within.database,
            within.of(PaymentService),
            within.objects,
            place.settings,
            At(night()),
        )
        found = await service.reconcile("midtrans", today(), [file], TESTER)
        assert (found.lines, found.matched, found.unreadable) == (10, 10, 0)
        assert await place.agrees() == 2 * PRICE
        # Fees that Midtrans deducted are booked by finance.
        assert await place.suspended() == ["fee_not_booked", "tax_not_booked"]

    tell_story(database_url, tmp_path, story)
