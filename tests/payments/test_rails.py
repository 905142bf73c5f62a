"""Notifications that processes of before rails took are booked, and instructions are read as kept."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from meterai.payments import Qr
from meterai.payments import store as payment_store
from meterai.payments.model import read_instructions
from tests.support.till import Till, open_till, paid_body


@pytest.fixture
def till(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    with open_till(database_url, tmp_path_factory.mktemp("till")) as opened:
        yield opened


def test_a_notification_that_a_process_of_before_took_is_booked(till: Till) -> None:
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


def test_a_notification_is_read_once(till: Till) -> None:
    _, attempt, _ = till.order()
    assert till.notify(paid_body(till.reference(attempt))) == "captured"
    [row] = till.rows("SELECT reading FROM notification_inbox")
    assert row["reading"]["status"] == "paid"
    assert row["reading"]["amount"] == {"value": 10_000}
    # The words are kept as they came, and what is acted on is the reading.
    _, other, _ = till.order()
    till.shop.arrange(
        "CREATE FUNCTION said_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.reading = jsonb_set(NEW.reading, '{number}', '\"P9\"'); RETURN NEW; END $$;"
        " CREATE TRIGGER said_otherwise BEFORE INSERT ON notification_inbox"
        " FOR EACH ROW EXECUTE FUNCTION said_otherwise()"
    )
    assert till.notify(paid_body(till.reference(other), "P2")) == "captured"
    assert [number for number, _ in till.captured()] == ["P1", "P9"]


@pytest.mark.parametrize(
    "kept", [None, [], "qr", {}, {"kind": "qr"}, {"kind": "letter"}, {"kind": "qr", "content": 7}]
)
def test_what_nobody_wrote_is_no_instruction(kept: object) -> None:
    assert read_instructions(kept) is None
    assert read_instructions({"kind": "qr", "content": "000201"}) == Qr("000201")
