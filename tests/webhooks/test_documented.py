"""The events of docs/webhooks.md are exactly the published ones, with their actual bodies."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from meterai.batches.events import BatchFinished
from meterai.distribution.events import DepositLow, SaleClosed, SaleMoved
from meterai.kit.ids import new_id
from meterai.payments.events import AccountWanted, PaymentWon, RefundRerouted
from meterai.plumbing.messages import translate
from meterai.plumbing.work.events import Event, emit
from meterai.webhooks.model import TEST
from tests.webhooks.conftest import Hooked

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
HEADING, NEXT = "## Events\n", "## For staff"
# Fixed values in place of ids that differ each time.
SHOWN = {
    "batch_id": "bat_06f9k2m4x8qz7v1w3y5n0b2c4b",
    "order_id": "ord_06f9k2m4x8qz7v1w3y5n0b2c4d",
    "stamping_id": "stg_06f9k2m4x8qz7v1w3y5n0b2c4e",
    "sale_id": "sal_06f9k2m4x8qz7v1w3y5n0b2c4s",
    "refund_id": "rfd_06f9k2m4x8qz7v1w3y5n0b2c4f",
    "endpoint_id": "whk_06f9k2m4x8qz7v1w3y5n0b2c4g",
}
AT = "2026-11-30T12:33:20.000+00:00"


def _everything(hooked: Hooked) -> None:
    """Every published event, most of them by their actual causes."""
    shop = hooked.shop
    shop.give_up(shop.place(1), "withdrawn")
    shop.give_up(shop.place(1), "lapsed")
    bought = shop.place(3)
    paid = shop.pay(bought)
    shop.work()
    for end in (shop.deliver, shop.fail):
        stamping = shop.reserve(1)
        assert stamping is not None
        end(stamping)
    shop.work()
    shop.set_issuing(is_open=False)
    unexecuted = shop.place(1)
    shop.pay(unexecuted)
    shop.work()
    shop.refund_overdue(unexecuted)
    shop.work()
    for refund in shop.refunds():
        shop.send(refund)
        shop.settle(refund)
    shop.set_issuing(is_open=True)
    shop.charge_back(paid)
    shop.work()
    account, now = hooked.account, datetime.now(UTC)
    rare: list[Event] = [
        PaymentWon(account=account, attempt=paid.attempt, payment=paid.number, subject=bought),
        AccountWanted(account=account, refund=refund),
        RefundRerouted(account=account, refund=refund, way="transfer"),
        DepositLow(account=account, told_at=now),
        SaleMoved(
            account=account,
            sale=new_id(),
            seller="Toko Meterai",
            buyer=new_id(),
            order=bought,
            attempt=new_id(),
            quantity=2,
            unit_price=10_000,
            service_fee=500,
            due_seconds=900.0,
            waits_until=now,
            is_taken=False,
        ),
        SaleClosed(account=account, sale=new_id(), buyer=new_id(), order=bought),
        BatchFinished(
            account=account, batch=new_id(), state="finished", delivered=963, wrong=37, cancelled=0
        ),
    ]
    hooked.do(_publish(hooked, rare))
    hooked.do(hooked.webhooks.test(account, _endpoint(hooked), actor=hooked.actor))


def _endpoint(hooked: Hooked) -> UUID:
    [row] = hooked.shop.rows("SELECT endpoint_id FROM webhook_endpoints")
    return UUID(str(row["endpoint_id"]))


async def _publish(hooked: Hooked, events: list[Event]) -> None:
    """Emit events and publish them, without their other handlers."""
    database = hooked.container.database
    async with database.transaction() as tx:
        for event in events:
            await emit(tx, event)
        await tx.run("DELETE FROM jobs WHERE handler <> 'publish'")


def _shown(body: str) -> str:
    told: dict[str, Any] = json.loads(body)
    told["timestamp"] = AT
    told["data"] = {name: SHOWN.get(name, value) for name, value in told["data"].items()}
    if "reason" in told["data"] and told["data"]["order_id"]:
        told["data"]["order_id"] = SHOWN["order_id"]
    return json.dumps(told, indent=2)


def _written(bodies: dict[str, str]) -> Iterator[str]:
    for name in [*sorted(bodies.keys() - {TEST}), TEST]:
        yield f"### `{name}`\n"
        yield f"{translate(f'published.{name}', 'en').capitalize()}.\n"
        yield f"```json\n{_shown(bodies[name])}\n```\n"


def test_every_event_is_documented_with_its_body(hooked: Hooked) -> None:
    hooked.make(events=["*"])
    _everything(hooked)
    hooked.shop.work()
    bodies = {row["type"]: row["body"] for row in reversed(hooked.messages())}
    assert bodies.keys() == {*hooked.webhooks.types, TEST}
    text = PAGE.read_text()
    section = text.partition(HEADING)[2].partition(NEXT)[0].partition("\n### ")
    found = f"### {section[2]}".strip()
    assert found == "\n".join(_written(bodies)).strip(), "the section `Events` is written so"
