"""Sales, deposits and webhooks that are invalid or belong to others are refused with a code, and move no money."""

import uuid
from collections.abc import Iterator

import pytest

from meterai.accounts import AccountService, OrganizationService
from meterai.kit.ids import new_id, show
from meterai.room import Container
from tests.support.inside import Inside
from tests.support.instance import Client, until
from tests.support.seller import UNIT, Seller
from tests.support.shop import TESTER

FEE_MAX = 10_000  # default of the setting


@pytest.fixture(scope="module")
def seller(inside: Inside) -> Seller:
    """A distributor whose deposit no mistake may change."""
    found = Seller(inside)
    found.top_up(10 * UNIT)
    return found


@pytest.fixture
def unharmed(seller: Seller) -> Iterator[Seller]:
    """The distributor, with the same deposit and sales after the test."""
    before = seller.deposit, len(seller.every())
    yield seller
    assert (seller.deposit, len(seller.every())) == before


def headed() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


@pytest.mark.parametrize("fee", [FEE_MAX + 1, 10**12])
def test_fee_above_the_bound_is_refused(inside: Inside, seller: Seller, fee: int) -> None:
    account = new_id()

    async def make(container: Container) -> None:
        owner = await container.of(AccountService).create(
            f"{account.hex}@example.org", actor=TESTER
        )
        await container.of(OrganizationService).make(account, owner, "PT Mahal", "", "")

    inside.ask(make)
    terms = ("--seller", "Toko Mahal", "--fee", f"{fee}", "--region", "Jawa Barat")
    for words in (("approve", show("acc", account)), ("change", show("acc", seller.account))):
        done = inside.instance.command("distributors", *words, *terms, "--reason", "a test")
        assert done.returncode != 0
        assert "distributor_fee_too_high" in done.stderr
    rows = inside.rows("SELECT 1 FROM distributors WHERE account_id = %s", account)
    assert rows == []


SALE: dict[str, object] = {"email": "ani@example.org", "quantity": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        *({"quantity": one} for one in (0, -1, 1_001, 2**63, 1.5, "x", None, True)),
        *({"email": one} for one in ("", "ani", "a@b", "ani@example.org\nbcc:x@y.id", None, 7)),
        {"reference": "x" * 1_000},
        {"price": 1},
        {"fee": 1},
    ],
    ids=str,
)
def test_invalid_sale_is_refused(unharmed: Seller, wrong: dict[str, object]) -> None:
    reply = unharmed.client.post("/v1/sales", SALE | wrong, headers=headed())
    assert reply.status in (400, 422), reply.body
    assert reply.json["code"] == "malformed"


def test_sale_from_the_deposit_of_another_is_refused(inside: Inside, seller: Seller) -> None:
    made = seller.sell()
    other = Seller(inside)
    customer = inside.customer()
    for somebody in (other.client, customer):
        reply = somebody.get(f"/v1/sales/{made['id']}")
        assert reply.status == 404
        assert somebody.get("/v1/sales").json["sales"] == []
        reply = somebody.post("/v1/sales", SALE, headers=headed())
        assert (reply.status, reply.json["code"]) == (409, "seller_not_open")
    assert other.deposit["balance"] == 0
    for path in ("/v1/deposit", "/v1/deposit/statement?month=2026-11"):
        assert customer.get(path).status == 404
    reply = customer.post("/v1/deposits", {"rupiah": 10_000}, headers=headed())
    assert (reply.status, reply.json["code"]) == (404, "no_distributor")
    # The order belongs to its buyer. The seller sees the sale, but not the buyer's account.
    assert seller.client.get(f"/v1/orders/{made['order']}").status == 404
    assert seller.client.post(f"/v1/orders/{made['order']}/withdraw").status == 404


def test_webhook_of_another_account_is_not_found(inside: Inside, seller: Seller) -> None:
    body = {"url": "https://127.0.0.1:8443/x", "events": ["*"]}
    made = seller.client.post("/v1/webhooks", body, headers=headed())
    assert made.status == 201, made.body
    path = f"/v1/webhooks/{made.json['id']}"
    for somebody in (Seller(inside).client, inside.customer()):
        for asked in ("", "/deliveries", "/deliveries/msg_06f9k2m4x8qz7v1w3y5n0b2c4b"):
            assert somebody.get(path + asked).status == 404, asked
        for act in ("change", "rotate", "test", "replay", "enable", "disable", "remove"):
            given: dict[str, object] = {"since": "2026-11-30T00:00:00Z"} if act == "replay" else {}
            reply = somebody.post(f"{path}/{act}", given, headers=headed())
            assert reply.status == 404, (act, reply.body)
        assert made.json["id"] not in somebody.get("/v1/webhooks").body.decode()
    assert seller.client.get(path).json["state"] == "enabled"
    assert _removed(seller.client, path)


def _removed(client: Client, path: str) -> bool:
    return client.post(f"{path}/remove").status in (200, 204)


def test_closed_distributor_sells_no_more_and_its_waiting_sales_end(inside: Inside) -> None:
    seller = Seller(inside)
    seller.top_up(2 * UNIT)
    sold, waits = seller.sell(), seller.sell(quantity=5)
    unpaid = seller.order_deposit(10_000)
    until("one is executed", lambda: seller.sale(sold)["state"] == "executed")
    buyer = seller.buyer(waits)
    account = show("acc", seller.account)
    done = inside.instance.command("distributors", "close", account, "--reason", "by letter")
    assert done.returncode == 0, done.stderr
    until("it waits no more", lambda: seller.sale(waits)["state"] == "lapsed")
    until("nor does its buyer", lambda: buyer.order(waits["order"])["state"] == "lapsed")
    late = seller.selling("late")
    assert (late.status, late.json["code"]) == (409, "seller_not_open")
    more = seller.client.post("/v1/deposits", {"rupiah": 10_000}, headers=headed())
    assert (more.status, more.json["code"]) == (409, "seller_not_open")
    # A later payment by the owner becomes deposit, and is refunded with the rest.
    seller.pay(unpaid["id"])
    until("the deposit has it", lambda: seller.deposit["balance"] == 2 * UNIT)
    assert seller.deposit["state"] == "closing"
    back = ("deposits", "refund", account, f"{2 * UNIT}", "--reason", "by letter")
    done = inside.instance.command(*back)
    assert done.returncode == 0, done.stderr
    until("nothing is left", lambda: seller.deposit["balance"] == 0)
    assert seller.deposit["state"] == "closed"
    assert seller.sale(sold)["state"] == "executed"
    seller.assert_statement_is_the_legs()
