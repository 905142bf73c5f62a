"""Notifications stored before there were rails are booked, and stored instructions are read."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from meterai.payments import Rails
from meterai.payments import store as payment_store
from meterai.payments.adapters.snap import SNAP_QRIS
from meterai.payments.jobs import act_on
from tests.support.till import Till, open_till, paid_body


@pytest.fixture
def till(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    with open_till(database_url, tmp_path_factory.mktemp("till")) as opened:
        yield opened


def test_notification_kept_by_an_earlier_version_is_booked(till: Till) -> None:
    _, attempt, _ = till.order()
    body = json.dumps(paid_body(till.reference(attempt))).encode()
    today = datetime.now(UTC).date()

    async def take() -> None:
        async with till.shop.container.database.transaction() as tx:
            await payment_store.insert_inbox(tx, "bank", "7", today, body)
            await tx.run(
                "SELECT emit('00000000-0000-0000-0000-000000000000', 'notification_received',"
                " jsonb_build_object('external_id', '7', 'sent_on', %s::date))",
                today,
            )

    till.do(take())
    till.shop.work()
    [row] = till.rows("SELECT outcome, reading FROM notification_inbox")
    assert row == {"outcome": "captured", "reading": None}
    assert till.captured() == [("P1", 10_000)]
    till.assert_books_hold()


def test_notification_is_read_once(till: Till) -> None:
    _, attempt, _ = till.order()
    assert till.notify(paid_body(till.reference(attempt))) == "captured"
    [row] = till.rows("SELECT reading FROM notification_inbox")
    assert row["reading"]["status"] == "paid"
    assert row["reading"]["amount"] == {"value": 10_000}
    # The body is stored as received, but only the reading is acted on.
    _, other, _ = till.order()
    till.shop.arrange(
        "CREATE FUNCTION said_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.reading = jsonb_set(NEW.reading, '{number}', '\"P9\"'); RETURN NEW; END $$;"
        " CREATE TRIGGER said_otherwise BEFORE INSERT ON notification_inbox"
        " FOR EACH ROW EXECUTE FUNCTION said_otherwise()"
    )
    assert till.notify(paid_body(till.reference(other), "P2")) == "captured"
    assert [number for number, _ in till.captured()] == ["P1", "P9"]


def test_news_of_a_rail_that_demands_requery_only_causes_a_query(till: Till) -> None:
    kind = replace(SNAP_QRIS, demands_requery=True)
    rails = Rails(till.shop.container.settings, (kind,))
    order, attempt, qr = till.order()
    till.shop.arrange("UPDATE payment_attempts SET ask_at = now() + interval '1 hour'")

    async def told(body: dict[str, Any]) -> object:
        said = kind.reread(json.dumps(body).encode())
        async with till.shop.container.database.transaction() as tx:
            return await act_on(tx, rails, "bank", said)

    paid = paid_body(till.reference(attempt))
    for body in (paid, paid | {"latestTransactionStatus": "06"}):
        assert till.do(told(body)) == "asked"
        [row] = till.rows("SELECT state, ask_at <= now() AS is_due FROM payment_attempts")
        assert row == {"state": "waiting", "is_due": True}
    assert till.captured() == []
    # Only the answer to a query is acted on.
    till.control("pay", qr_content=qr)
    till.ask()
    assert [amount for _, amount in till.captured()] == [10_000]
    till.shop.work()
    [row] = till.rows("SELECT state FROM orders WHERE order_id = %s", order)
    assert row["state"] == "executed"
