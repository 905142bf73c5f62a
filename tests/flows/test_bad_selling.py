"""Sales, deposits and webhooks that are invalid or belong to others are refused with a code, and move no money."""

import uuid
from collections.abc import Iterator

import pytest

from meterai.accounts import AccountService, OrganizationService
from meterai.kit.ids import new_id, show
from meterai.room import Container
from tests.support.inside import Inside
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
