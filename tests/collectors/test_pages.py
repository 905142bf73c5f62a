"""Pages of a collector without a script, and requests of its program over HTTP."""

import uuid

import msgspec
import pytest

from meterai.kit.days import Month, day_of
from meterai.kit.ids import show
from tests.support.browser_forms import Visitor, visitors
from tests.support.collecting import FACTS, collector_of, key_of_a_collector
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, Reply
from tests.support.pdf import pdf
from tests.support.shop import PRICE

LIMIT = 10 * PRICE
NTPN = "0123456789ABCDEF"


@pytest.fixture
def inside(instance: Instance) -> Inside:
    return Inside(instance)


def acting(inside: Inside) -> Visitor:
    """A person who acts for a collector."""
    (visitor,) = visitors(inside, 1)
    account = collector_of(inside, visitor.account)
    begun = visitor.sends(visitor.form("/account/acting", account=show("acc", account)))
    assert begun.status == 303, begun.body
    return visitor


def this_month(inside: Inside) -> str:
    [row] = inside.rows("SELECT now() AS now")
    return str(Month.of(day_of(row["now"])))


def test_collector_draws_reports_deposit_and_sees_its_month(inside: Inside) -> None:
    (nobody,) = visitors(inside, 1)
    assert "bukan pemungut" in nobody.looks("/collector")
    visitor = acting(inside)
    assert "Rp100.000" in visitor.looks("/collector")
    drawn = visitor.sends(visitor.form("/collector/draws", "/collector", quantity="3"))
    assert drawn.status == 303, drawn.body
    order = drawn.headers["location"]
    inside.until("the order is executed", lambda: "3 meterai" in visitor.looks(order))
    assert "Rp70.000" in visitor.looks("/collector")
    late = visitor.sends(visitor.form("/collector/draws", "/collector", quantity="8"))
    inside.until(
        "the order waits",
        lambda: "Menunggu kredit pemungut" in visitor.looks(late.headers["location"]),
    )
    month = this_month(inside)
    [row] = inside.rows("SELECT (now() AT TIME ZONE 'Asia/Jakarta')::date AS today")
    fields = {"ntpn": NTPN.lower(), "month": month, "paid_on": str(row["today"])}
    wrong = visitor.sends(visitor.form("/collector/deposits", rupiah="40.000", **fields))
    assert wrong.status == 422
    assert "melebihi" in wrong.body.decode()
    told = visitor.sends(visitor.form("/collector/deposits", rupiah="30.000", **fields))
    assert told.status == 303, told.body
    assert NTPN in visitor.looks("/collector")
    here = f"/collector/months/{month}"
    page = visitor.looks(here)
    assert "berjalan" in page
    named = visitor.sends(
        visitor.form(
            f"{here}/unstamped",
            type="4a",
            number="INV-9",
            date=str(row["today"]),
            value="6000000",
            party_name="PT Lawan",
            party_number="0123456789012345",
            identity="NPWP",
            happened_on=str(row["today"]),
            reason="sistem tidak menjawab",
        )
    )
    assert named.status == 303, named.body
    assert "INV-9" in visitor.looks(here)
    withdrawn = visitor.sends(visitor.form("/collector/deposits/withdraw", ntpn=NTPN))
    assert withdrawn.status == 303


def test_program_of_a_collector_orders_stamps_and_lists(inside: Inside) -> None:
    customer, owed = inside.customer(), inside.books().get("collectors_due", 0)

    def draw() -> Reply:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return customer.post(
            "/v1/orders", {"quantity": 2, "payment_method": "credit"}, headers=headers
        )

    refused = draw()
    assert (refused.status, refused.json["code"]) == (404, "no_collector")
    customer = Client(inside.instance.url, key_of_a_collector(inside))
    made = draw()
    assert made.status == 201, made.body
    order = made.json
    assert (order["total"], order["service_fee"]) == (2 * PRICE, 0)
    inside.until(
        "the order is executed",
        lambda: customer.get(f"/v1/orders/{order['id']}").json["state"] == "executed",
    )

    def stamp(**more: str) -> Reply:
        return customer.stamp(pdf(words="faktur"), **more)

    refused = stamp()
    assert (refused.status, refused.json["code"], refused.json["field"]) == (
        422,
        "document_facts_missing",
        "type",
    )
    assert stamp(facts=msgspec.json.encode(FACTS).decode()).status == 201
    found = customer.get("/v1/collector").json
    assert (found["used"], found["owed"], found["stopped_by"]) == (2 * PRICE, 2 * PRICE, None)
    month = this_month(inside)
    listed = customer.get(f"/v1/collector/months/{month}").json
    assert (listed["stamped"], listed["duty"], listed["month"]["due"]) == (1, PRICE, 2 * PRICE)
    [row] = customer.get(f"/v1/collector/months/{month}/documents.json").json
    assert (row["annex"], row["number"]) == ("II", "INV-1")
    assert customer.get(f"/v1/collector/months/{month}/nil").status == 409
    assert inside.books()["collectors_due"] == owed - 2 * PRICE
    inside.assert_audit_holds()


def test_facts_of_documents_are_entered_on_last_page_and_drawn_on_credit(
    inside: Inside,
) -> None:
    visitor = acting(inside)
    visitor.places(1)
    assert "Sebagai pemungut" in visitor.looks("/stamp/pay")
    told = {
        f"facts-0-{name}": value
        for name, value in {
            "type": "3",
            "number": "SP-1",
            "date": "2026-11-30",
            "value": "0",
            "party_name": "Ani",
            "party_number": "3171234567890123",
        }.items()
    }
    short = told | {"facts-0-party_name": ""}
    refused = visitor.sends(visitor.form("/stamp/pay", "/stamp/pay", pay="credit", **short))
    assert refused.status == 422
    assert "SP-1" in refused.body.decode(), "what was typed is there still"
    ordered = visitor.sends(visitor.form("/stamp/pay", "/stamp/pay", pay="credit", **told))
    assert ordered.status == 303, ordered.body
    inside.until(
        "the document is stamped",
        lambda: inside.rows(
            "SELECT 1 FROM stamping_facts f JOIN stampings s USING (account_id, stamping_id)"
            " WHERE s.state = 'delivered' AND f.number = 'SP-1' AND f.identity_kind = 'KTP'"
        ),
    )
    inside.assert_audit_holds()
