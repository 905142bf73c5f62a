"""Midtrans end to end: QRIS and virtual accounts, with valid, invalid and missing notifications, and refunds."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from meterai.payments import PaymentService
from meterai.payments.adapters.midtrans.reading import signature_of
from tests.support.midtrans import SERVER_KEY, Kiosk, tell_story
from tests.support.shop import PRICE

PENDING, SETTLED = b'"transaction_status": "pending"', b'"transaction_status": "settlement"'


def signed(body: bytes, **changes: object) -> bytes:
    """A notification with changed members and a valid signature."""
    told: dict[str, Any] = json.loads(body) | changes
    order_id, code, amount = (
        str(told[name]) for name in ("order_id", "status_code", "gross_amount")
    )
    told["signature_key"] = signature_of(order_id, code, amount, SERVER_KEY)
    return json.dumps(told).encode()


async def captures(place: Kiosk) -> int:
    return len(await place.rows("SELECT payment FROM captures"))


def test_order_is_paid_by_qris_after_news_caused_a_query(database_url: str, tmp_path: Path) -> None:
    async def story(place: Kiosk) -> None:
        order = await place.order()
        assert (order["payment"]["method"], order["payment"]["state"]) == ("qris", "waiting")
        await place.pay(order)
        await place.told(2)  # pending, and then settled
        await place.due()
        assert await place.state(order) == "executed"
        [capture] = await place.rows("SELECT payment, amount, learned_by FROM captures")
        [told] = [json.loads(body) for body in place.heard if SETTLED in body]
        assert capture["payment"] == f"midtrans:{told['transaction_id']}"
        assert (capture["amount"], capture["learned_by"]) == (PRICE, "question")

    tell_story(database_url, tmp_path, story)


def test_forged_notification_is_refused_and_not_kept(database_url: str, tmp_path: Path) -> None:
    async def story(place: Kiosk) -> None:
        await place.control("faults", forge_notifications=-1)
        order = await place.order()
        await place.told(2)
        forged, true = (json.loads(body) for body in place.heard)
        assert (forged["transaction_status"], true["transaction_status"]) == (
            "settlement",
            "pending",
        )
        for body in (
            b"",
            b"{}",
            b"[1]",
            place.heard[0],
            json.dumps(true | {"signature_key": forged["signature_key"]}).encode(),
            json.dumps(true | {"signature_key": true["signature_key"].upper()}).encode(),
            json.dumps(true | {"status_code": "200"}).encode(),
            json.dumps(true | {"gross_amount": 10000}).encode(),
            json.dumps(true | {"signature_key": "kunci"}).encode(),
            place.heard[1].replace(PENDING, PENDING + b"," + SETTLED),  # one member twice
        ):
            assert (await place.tell(body)).status == 401, body
        await place.due()
        assert await place.state(order) == "placed"
        [row] = await place.rows("SELECT count(*) AS kept FROM notification_inbox")
        assert row["kept"] == 1

    tell_story(database_url, tmp_path, story)


def test_denied_settlement_takes_the_payment_back(database_url: str, tmp_path: Path) -> None:
    async def story(place: Kiosk) -> None:
        # A chargeback before the order is executed: the payment is captured, and its jobs have not run.
        early = await place.order()
        await place.pay(early)
        place.arrange("UPDATE payment_attempts SET ask_at = now()")
        await place.web.container.of(PaymentService).poll_waiting()
        await place.act("deny", early)
        place.arrange("UPDATE payment_attempts SET ask_at = now() WHERE ask_at < 'infinity'")
        await place.web.container.of(PaymentService).poll_waiting()
        await place.work()
        assert (await place.state(early), await place.agrees()) == ("placed", 0)
        # A chargeback after the execution, by a notification.
        late = await place.paid()
        await place.act("deny", late)
        await place.told(6)
        await place.due()
        assert (await place.state(late), await place.agrees()) == ("denied", 0)
        assert await place.suspended() == []
        # A declined try to pay is no chargeback.
        declined = await place.order()
        await place.act("decline", declined)
        await place.round()
        shown = await place.shown(declined)
        assert (shown["state"], await captures(place)) == ("placed", 2)

    tell_story(database_url, tmp_path, story)


def test_refund_of_qris_is_made_once_and_a_part_by_hand_is_booked(
    database_url: str, tmp_path: Path
) -> None:
    async def story(place: Kiosk) -> None:
        whole = await place.paid(2)
        await place.control("faults", refund_lost=1)
        assert (await place.asked("/v1/refunds", {"order_id": whole["id"]})).status == 201
        await place.round()
        await place.round()
        assert await place.state(whole) == "returned"
        part = await place.paid(2)
        await place.act("refund", part, amount=PRICE)
        await place.round()
        moved = (await place.control("say", transaction=place.name(part), status=None))["movements"]
        assert [one["kind"] for one in moved] == ["settlement", "refund"]
        assert await place.agrees() == PRICE
        assert await place.suspended() == []

    tell_story(database_url, tmp_path, story)


def test_news_of_another_merchant_or_order_moves_nothing(database_url: str, tmp_path: Path) -> None:
    async def story(place: Kiosk) -> None:
        order = await place.order()
        await place.pay(order)
        await place.told(2)
        settled = place.heard[1]
        other = "6f1f9c9e-6b7e-4a3f-9a55-0d8a1cf2f001"
        for changes, outcome in (
            ({"merchant_id": "G999999999"}, "suspended_about_another"),
            ({"transaction_id": other}, "suspended_about_another"),
            (
                {"order_id": "another-shop-1", "transaction_id": other},
                "suspended_reference_unknown",
            ),
            ({"order_id": "A" * 43, "transaction_id": other}, "suspended_reference_unknown"),
        ):
            body = signed(settled, **changes)
            assert (await place.tell(body)).status == 200
            await place.work()
            [row] = await place.rows(
                "SELECT outcome FROM notification_inbox ORDER BY received_at DESC LIMIT 1"
            )
            assert row["outcome"] == outcome, changes
        # Only an answer to our query proves that money came.
        assert await place.book("suspense") == 0
        await place.round()
        assert await place.state(order) == "executed"

    tell_story(database_url, tmp_path, story)


def test_charge_with_lost_answer_is_repeated_or_replaced(database_url: str, tmp_path: Path) -> None:
    async def story(place: Kiosk) -> None:
        await place.control("faults", charge_lost=2)
        by_number, by_qr = await place.order(1, "va"), await place.order()
        assert {one["payment"]["state"] for one in (by_number, by_qr)} == {"opening"}
        for _ in range(3):
            await place.round()
        by_number, by_qr = await place.shown(by_number), await place.shown(by_qr)
        assert {one["payment"]["state"] for one in (by_number, by_qr)} == {"waiting"}
        states = await place.rows("SELECT method, state FROM payment_attempts ORDER BY 1, 2")
        assert [(row["method"], row["state"]) for row in states] == [
            ("qris", "cancelled"),
            ("qris", "waiting"),
            ("va", "waiting"),
        ]
        await place.asked(f"/v1/orders/{by_number['id']}/withdraw")
        await place.round()
        found = await place.act("say", by_number, status=None)
        assert found["transaction_status"] == "cancel"
        # The payment was under way. It is refunded, or the refund is refused and still owed.
        await place.act("pay", by_number, late=True)
        await place.told(6)
        await place.due()
        assert await place.agrees() == PRICE

    tell_story(database_url, tmp_path, story)


# The circuit breaker needs seconds to find Midtrans available again, and a round takes a second on a busy
# machine.
STORM_SECONDS_MAX = 300.0


@pytest.mark.parametrize("seed", [7, pytest.param(11, marks=pytest.mark.soak)])
def test_books_agree_with_midtrans_after_a_storm_of_faults(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    """Each call and each notification fails in one of several ways, in a fifth of all cases."""

    async def story(place: Kiosk) -> None:
        await place.control("faults", seed=seed, seed_percent=20)
        orders = [
            await place.order(1 + one % 3, "va" if one % 3 == 0 else "qris") for one in range(9)
        ]
        acts = ("pay", "pay", "deny", "pay", "refund", "charge-back", "pay", "win", "cancel")
        for number, act in enumerate(acts):
            await place.round()
            order = orders[number] = await place.shown(orders[number])
            if order["payment"] and order["payment"]["state"] == "waiting":
                if act == "cancel":
                    await place.asked(f"/v1/orders/{order['id']}/withdraw")
                    continue
                await place.pay(order)
                await place.round()
                if act == "win":
                    await place.act("charge-back", order)
                    await place.round()
                if act != "pay":
                    await place.act(act, order)
        for order in orders[:2]:
            await place.asked("/v1/refunds", {"order_id": order["id"]})
            await place.round()
        async with place.http.delete(f"{place.url}/standin/faults") as answer:
            assert answer.status == 200
        async with asyncio.timeout(STORM_SECONDS_MAX):
            [began] = await place.rows("SELECT now() AS at")
            while not await at_rest(place, began["at"]):  # noqa: ASYNC110 - each look is a round
                await asyncio.sleep(0.2)
        await place.agrees()
        states = {await place.state(order) for order in orders}
        # Midtrans refuses refunds of virtual accounts, so the refund stays owed.
        assert "paid" not in states

    tell_story(database_url, tmp_path, story)


async def at_rest(place: Kiosk, since: datetime) -> bool:
    """Run a round. Return True if only calls to Midtrans are left that it refuses permanently.

    A charge that never reached Midtrans is unknown there, so that its cancellation is refused each time. Each attempt that
    may still be paid must have been queried since the moment `since`. With an open circuit a
    round sends no query, and a payment without a notification is not in the books.
    """
    await place.round()
    [left] = await place.rows(
        "SELECT (SELECT count(*) FROM payment_attempts WHERE state = 'opening')"
        " + (SELECT count(*) FROM payment_attempts"
        "    WHERE cancel_at < 'infinity' AND state IN ('lost', 'expired') AND cancel_tries < 20)"
        " + (SELECT count(*) FROM refunds WHERE state IN ('requested', 'sent'))"
        " + (SELECT count(*) FROM chargebacks WHERE look_at < 'infinity') AS count"
    )
    [unheard] = await place.rows(
        "SELECT count(*) FROM payment_attempts WHERE ask_at < 'infinity'"
        " AND (answered_at IS NULL OR answered_at < %s) AND state <> 'opening'",
        since,
    )
    return int(left["count"]) == 0 and int(unheard["count"]) == 0
