"""After any fault of the bank every rupiah is executed or refunded."""

from collections.abc import Iterator

import pytest
import urllib3

from tests.support.inside import Inside
from tests.support.instance import Instance, until
from tests.support.killing import away, frozen
from tests.support.money import (
    at_rest_afterwards,
    bank_refunds,
    bought,
    ends,
    learned_by,
    money,
    outcomes,
    pay,
    payable,
    stands,
)

pytestmark = pytest.mark.sample(2, of="file")

ALL = -1  # the fault never ends by itself


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance that waits half a second for the bank."""
    settings = {"METERAI_BANK_TIMEOUT_SECONDS": "0.5"}
    with Instance(tmp_path_factory.mktemp("impatient"), **settings) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


@pytest.fixture
def at_rest(fragile: Inside) -> Iterator[Inside]:
    """The instance of this folder. Afterwards the bank has no fault and the money is accounted for."""
    yield from at_rest_afterwards(fragile)


@pytest.fixture
def without_patience(impatient: Inside) -> Iterator[Inside]:
    """The impatient instance. Afterwards the bank is quick and the money is accounted for."""
    yield from at_rest_afterwards(impatient)


# -- notifications ------------------------------------------------------------------------------


def test_payment_without_notification_is_found_by_a_query(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(drop_notifications=1, query_504=1, query_500=1)
    payment = pay(at_rest, order)
    ends(customer, order, "executed", captured=10_000, executed=10_000)
    assert learned_by(at_rest, payment) == ["question"]
    assert outcomes(at_rest, payment) == []
    assert customer.balance()["available"] == 1


# -- the QR -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["generate_504_after_success", "generate_500"])
def test_order_with_lost_qr_gets_another(at_rest: Inside, fault: str) -> None:
    customer = at_rest.customer()
    at_rest.instance.bank.faults(**{fault: 1})
    order = customer.place(1, key="once")
    assert order["payment"]["qr_content"] is None
    assert customer.place(1, key="once")["id"] == order["id"]
    qr = payable(customer, order)
    assert at_rest.instance.bank.pay(qr).status == 200
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_payment_of_a_lost_qr_is_executed(at_rest: Inside) -> None:
    customer = at_rest.customer()
    at_rest.instance.bank.faults(generate_504_after_success=1, cancel_500=ALL)
    order = customer.place(1)
    shown = payable(customer, order)
    last_two = at_rest.instance.bank.get("/standin/payments?limit=2").json
    (lost,) = (one["qr_content"] for one in last_two if one["qr_content"] != shown)
    assert at_rest.instance.bank.pay(lost).status == 200
    ends(customer, order, "executed", captured=10_000, executed=10_000)
    assert at_rest.instance.bank.pay(shown).status == 200
    ends(customer, order, "executed", captured=20_000, executed=10_000, refunded=10_000)
    assert customer.balance()["available"] == 1


# -- refunds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [{"refund_504_after_success": 2}, {"refund_500": 2}, {"refuse_refunds": 2}]
)
def test_refund_with_faulty_answer_is_made_exactly_once(
    at_rest: Inside, fault: dict[str, int]
) -> None:
    customer, order = bought(at_rest, 2)
    at_rest.instance.bank.faults(**fault)
    refund = customer.ask_back(order["id"]).json
    assert customer.balance()["available"] == 0
    ends(customer, order, "returned", captured=20_000, refunded=20_000)
    settled = customer.get(f"/v1/refunds/{refund['id']}").json
    assert settled["state"] == "settled"
    (sent,) = bank_refunds(at_rest, settled["refund_number"])
    assert sent["amount"] == 20_000
    assert sent["refund_no"] == settled["provider_refund_number"]


# -- more, less, twice, late --------------------------------------------------------------------


# -- chargebacks --------------------------------------------------------------------------------


# -- a slow bank --------------------------------------------------------------------------------


def test_order_is_executed_at_a_bank_slower_than_the_time_out(without_patience: Inside) -> None:
    customer = without_patience.customer()
    bank = without_patience.instance.bank
    bank.faults(response_delay_seconds=1.5)
    order = customer.place(1)
    assert order["payment"]["qr_content"] is None
    bank.clear_faults()
    qr = payable(customer, order)

    bank.faults(response_delay_seconds=1.5, drop_notifications=1)
    assert bank.pay(qr).status == 200
    asked = "SELECT 1 FROM payment_attempts WHERE instructions->>'content' = %s AND asked > 1"
    until("we asked in vain", lambda: without_patience.rows(asked, qr))
    assert stands(customer, order) == ("placed", money())
    bank.clear_faults()
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_refund_answered_too_late_is_made_once(without_patience: Inside) -> None:
    # The first refund gives the worker a token. Otherwise the late token would delay its query.
    customer, order = bought(without_patience, 1)
    customer.ask_back(order["id"])
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
    customer, order = bought(without_patience, 1)
    bank = without_patience.instance.bank
    bank.faults(response_delay_seconds=1.5)
    refund = customer.ask_back(order["id"]).json
    until(
        "we tried more than once",
        lambda: without_patience.rows(
            "SELECT 1 FROM refunds WHERE refund_no = %s AND tries > 1", refund["refund_number"]
        ),
    )
    assert len(bank_refunds(without_patience, refund["refund_number"])) == 1
    bank.clear_faults()
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
    assert len(bank_refunds(without_patience, refund["refund_number"])) == 1


def test_hanging_bank_does_not_block_orders(without_patience: Inside) -> None:
    """The bank accepts connections and never answers. A buyer gets an answer at once, and the worker probes the
    bank with few calls. No money is lost."""
    inside = without_patience
    customer, bought_before = bought(inside, 1)
    not_begun = 'meterai_calls_not_begun_total{provider="bank",reason="circuit"}'
    before = inside.instance.counted().get(not_begun, 0.0)
    with frozen(inside, "standins"):
        orders = [customer.place(1)]
        refund = customer.ask_back(bought_before["id"]).json
        while inside.instance.counted().get(not_begun, 0.0) == before:
            orders.append(customer.place(1))
        assert all(order["payment"]["qr_content"] is None for order in orders)
    for order in orders:
        assert inside.instance.bank.pay(payable(customer, order)).status == 200
        ends(customer, order, "executed", captured=10_000, executed=10_000)
    ends(customer, bought_before, "returned", captured=10_000, refunded=10_000)
    assert len(bank_refunds(inside, refund["refund_number"])) == 1


# -- no bank ------------------------------------------------------------------------------------


def _bank_answers(inside: Inside) -> bool:
    try:
        return inside.instance.bank.get("/healthz").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_order_placed_while_the_bank_is_down_is_paid_later(at_rest: Inside) -> None:
    customer = at_rest.customer()
    with away(at_rest, "standins"):
        order = customer.place(1)
        assert order["payment"]["qr_content"] is None
    until("the bank is back", lambda: _bank_answers(at_rest))
    assert at_rest.instance.bank.pay(payable(customer, order)).status == 200
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_payment_taken_before_the_bank_went_down_is_executed(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(notification_delay_seconds=1, query_500=1)
    pay(at_rest, order)
    at_rest.instance.kill("standins")
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_refund_requested_while_the_bank_is_down_is_made_later(at_rest: Inside) -> None:
    customer, order = bought(at_rest, 1)
    with away(at_rest, "standins"):
        assert customer.ask_back(order["id"]).status == 201
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
