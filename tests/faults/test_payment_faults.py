"""Whatever the bank does, every rupiah is executed or comes back; nothing stays in between."""

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.pdf import pdf

NOTHING = {"captured": 0, "executed": 0, "refunded": 0, "in_flight": 0}
ALL = -1  # occasions of a fault
RETRY_SECONDS_MAX = 40.0  # a refund that is refused some times, with its doubling pauses


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance whose bank is told to have faults; its orders have time."""
    with Instance(tmp_path_factory.mktemp("faults")) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance where orders lapse after 2 s, and what is paid is due after 3 s."""
    settings = {
        "METERAI_ORDER_LAPSES_SECONDS": "2",
        "METERAI_STAMPS_DUE_SECONDS": "3",
        "METERAI_DOCUMENTS_DUE_SECONDS": "3",
        "METERAI_SEAL_LEASE_SECONDS": "0.5",
    }
    with Instance(tmp_path_factory.mktemp("hurried"), **settings) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance that waits half a second for the bank."""
    settings = {"METERAI_BANK_TIMEOUT_SECONDS": "0.5"}
    with Instance(tmp_path_factory.mktemp("impatient"), **settings) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


def _cleared(inside: Inside) -> Iterator[Inside]:
    yield inside
    inside.instance.bank.clear_faults()
    until("the bank and the books agree", lambda: _agrees(inside))
    inside.assert_money_is_accounted_for()


def _agrees(inside: Inside) -> bool:
    bank, books = inside.instance.bank.totals(), inside.books()
    left = bank["received"] - bank["refunded"] - bank["denied"]
    return left == -books.get("bank_clearing", 0)


@pytest.fixture
def at_rest(quiet: Inside) -> Iterator[Inside]:
    """The quiet instance; afterwards the bank has no fault and the money is accounted for."""
    yield from _cleared(quiet)


@pytest.fixture
def in_a_hurry(hurried: Inside) -> Iterator[Inside]:
    """The hurried instance; afterwards the money is accounted for."""
    yield from _cleared(hurried)


@pytest.fixture
def without_patience(impatient: Inside) -> Iterator[Inside]:
    """The impatient instance; afterwards the bank is quick and the money is accounted for."""
    yield from _cleared(impatient)


def money(**some: int) -> dict[str, int]:
    """Where the money of an order is; what is not named is nothing."""
    return NOTHING | some


def ends(
    customer: Client, order: dict[str, Any], state: str, *, seconds: float = 30.0, **some: int
) -> None:
    """Wait until an order is in this state with its money exactly there."""
    until(
        f"the order is {state} with {some}",
        lambda: _stands(customer, order) == (state, money(**some)),
        seconds,
    )


def _stands(customer: Client, order: dict[str, Any]) -> tuple[str, dict[str, int]]:
    shown = customer.order(order["id"])
    return shown["state"], shown["money"]


def payable(customer: Client, order: dict[str, Any]) -> str:
    """Wait for the QR of an order that may not have one yet."""
    qr: str = until(
        "the order has a QR", lambda: customer.order(order["id"])["payment"]["qr_content"]
    )
    return qr


def pay(inside: Inside, order: dict[str, Any], **more: object) -> dict[str, Any]:
    """Pay an order's QR and return what the bank says of the payment."""
    reply = inside.instance.bank.pay(order["payment"]["qr_content"], **more)
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


def outcomes(inside: Inside, payment: dict[str, Any]) -> list[str | None]:
    """What became of each notification about a payment."""
    found = inside.rows(
        "SELECT outcome FROM notification_inbox WHERE convert_from(body, 'UTF8') LIKE %s",
        f"%{payment['rrn']}%",
    )
    return [row["outcome"] for row in found]


def learned_by(inside: Inside, payment: dict[str, Any]) -> list[str]:
    """How we heard of a payment, once per time it was counted."""
    found = inside.rows("SELECT learned_by FROM captures WHERE payment = %s", payment["rrn"])
    return [row["learned_by"] for row in found]


def bought(inside: Inside, quantity: int) -> tuple[Client, dict[str, Any]]:
    """A customer with an executed order, before the fault."""
    customer = inside.customer()
    order = customer.place(quantity)
    pay(inside, order)
    ends(customer, order, "executed", captured=order["total"], executed=order["total"])
    return customer, order


def bank_refunds(inside: Inside, number: str) -> list[dict[str, Any]]:
    """What the bank sent back under a number of ours."""
    found = inside.instance.bank.get("/standin/refunds").json
    return [one for one in found if one["partner_refund_no"] == number]


# -- notifications ------------------------------------------------------------------------------


def test_a_late_notification_is_overtaken_by_our_question(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(2)
    at_rest.instance.bank.faults(notification_delay_seconds=4)
    payment = pay(at_rest, order)
    ends(customer, order, "executed", captured=20_000, executed=20_000)
    assert learned_by(at_rest, payment) == ["question"]
    until("the notification is taken", lambda: outcomes(at_rest, payment) == ["known"])
    assert _stands(customer, order)[1] == money(captured=20_000, executed=20_000)
    assert customer.balance() == {"available": 2, "held": 0, "used": 0}


def test_a_payment_nobody_tells_us_of_is_asked_for(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(drop_notifications=1, query_504=1, query_500=1)
    payment = pay(at_rest, order)
    ends(customer, order, "executed", captured=10_000, executed=10_000)
    assert learned_by(at_rest, payment) == ["question"]
    assert outcomes(at_rest, payment) == []
    assert customer.balance()["available"] == 1


def test_a_doubled_notification_counts_once(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(3)
    at_rest.instance.bank.faults(double_notifications=1)
    payment = pay(at_rest, order)
    ends(customer, order, "executed", captured=30_000, executed=30_000)
    assert learned_by(at_rest, payment) == ["notification"]
    assert outcomes(at_rest, payment) == ["captured"]
    assert customer.balance()["available"] == 3


# -- the QR -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["generate_504_after_success", "generate_500"])
def test_an_order_whose_qr_got_lost_gets_another(at_rest: Inside, fault: str) -> None:
    customer = at_rest.customer()
    at_rest.instance.bank.faults(**{fault: 1})
    order = customer.place(1, key="once")
    assert order["payment"]["qr_content"] is None
    assert customer.place(1, key="once")["id"] == order["id"]
    qr = payable(customer, order)
    assert at_rest.instance.bank.pay(qr).status == 200
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_a_qr_that_got_lost_and_is_paid_all_the_same_is_executed(at_rest: Inside) -> None:
    customer = at_rest.customer()
    at_rest.instance.bank.faults(generate_504_after_success=1)
    order = customer.place(1)
    lost = at_rest.instance.bank.get("/standin/payments?limit=1").json[0]["qr_content"]
    shown = payable(customer, order)
    assert shown != lost
    assert at_rest.instance.bank.pay(lost).status == 200
    ends(customer, order, "executed", captured=10_000, executed=10_000)
    assert at_rest.instance.bank.pay(shown).status == 200
    ends(customer, order, "executed", captured=20_000, executed=10_000, refunded=10_000)
    assert customer.balance()["available"] == 1


# -- refunds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [{"refund_504_after_success": 2}, {"refund_500": 2}, {"refuse_refunds": 2}]
)
def test_a_refund_the_bank_fumbles_is_made_exactly_once(
    at_rest: Inside, fault: dict[str, int]
) -> None:
    customer, order = bought(at_rest, 2)
    at_rest.instance.bank.faults(**fault)
    refund = customer.post("/v1/refunds", {"order_id": order["id"]}).json
    assert customer.balance()["available"] == 0
    ends(customer, order, "returned", captured=20_000, refunded=20_000)
    settled = customer.get(f"/v1/refunds/{refund['id']}").json
    assert settled["state"] == "settled"
    (sent,) = bank_refunds(at_rest, settled["refund_number"])
    assert sent["amount"] == 20_000
    assert sent["refund_no"] == settled["provider_refund_number"]


# -- more, less, twice, late --------------------------------------------------------------------


def test_the_second_payment_of_an_order_comes_back(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    pay(at_rest, order)
    pay(at_rest, order)
    ends(customer, order, "executed", captured=20_000, executed=10_000, refunded=10_000)
    assert customer.balance()["available"] == 1


@pytest.mark.parametrize("which", ["the QR of before", "the new QR"])
def test_too_little_comes_back_and_the_order_can_still_be_paid(at_rest: Inside, which: str) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    first = order["payment"]["qr_content"]
    pay(at_rest, order, amount=4_000)
    ends(customer, order, "placed", captured=4_000, refunded=4_000)
    assert customer.balance()["available"] == 0
    until("another QR is shown", lambda: payable(customer, order) != first)
    second = customer.order(order["id"])["payment"]["qr_content"]
    at_rest.instance.bank.pay(second if which == "the new QR" else first)
    ends(customer, order, "executed", captured=14_000, executed=10_000, refunded=4_000)
    assert customer.balance()["available"] == 1


def test_what_was_too_much_comes_back(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    pay(at_rest, order, amount=15_000)
    ends(customer, order, "executed", captured=15_000, executed=10_000, refunded=5_000)
    assert customer.balance()["available"] == 1


def test_a_payment_that_crosses_a_withdrawal_comes_back(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(notification_delay_seconds=1)
    pay(at_rest, order)
    assert customer.post(f"/v1/orders/{order['id']}/withdraw").json["state"] == "withdrawn"
    ends(customer, order, "withdrawn", captured=10_000, refunded=10_000)
    assert customer.balance()["available"] == 0


def test_a_withdrawn_order_cannot_be_paid_any_more(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    assert customer.post(f"/v1/orders/{order['id']}/withdraw").status == 200
    assert customer.post(f"/v1/orders/{order['id']}/withdraw").status == 200
    assert at_rest.instance.bank.pay(order["payment"]["qr_content"]).status == 409
    assert _stands(customer, order) == ("withdrawn", money())


def test_a_payment_after_the_time_to_pay_is_executed(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    order = customer.place(2)
    ends(customer, order, "lapsed")
    pay(in_a_hurry, order)
    ends(customer, order, "executed", captured=20_000, executed=20_000)
    assert customer.balance()["available"] == 2


# -- denials ------------------------------------------------------------------------------------


def test_a_denial_takes_stamps_that_nobody_used(at_rest: Inside) -> None:
    customer, order = bought(at_rest, 2)
    at_rest.instance.bank.post("/standin/deny", {"qr_content": order["payment"]["qr_content"]})
    ends(customer, order, "denied")
    assert customer.balance() == {"available": 0, "held": 0, "used": 0}
    assert customer.stamp(pdf()).json["code"] == "not_enough_stamps"


def test_a_denial_after_a_stamp_was_used_leaves_the_stamp_and_is_our_loss(at_rest: Inside) -> None:
    loss_before = at_rest.books().get("denied_loss", 0)
    customer, order = bought(at_rest, 2)
    stamping = customer.stamp(pdf()).json
    at_rest.instance.bank.post("/standin/deny", {"qr_content": order["payment"]["qr_content"]})
    ends(customer, order, "denied")
    assert customer.balance() == {"available": 0, "held": 0, "used": 1}
    assert at_rest.books()["denied_loss"] - loss_before == -10_000
    stamped = customer.get(stamping["document_url"]).body
    assert at_rest.instance.anybody().verify(stamped)["verdict"] == "genuine"


def test_a_denial_soon_after_settlement_is_taken(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(deny_after_settlement_seconds=1)
    payment = pay(at_rest, order)
    until("we heard of the payment", lambda: learned_by(at_rest, payment))
    ends(customer, order, "denied")
    assert customer.balance()["available"] == 0


def test_a_denial_we_hear_of_before_its_payment_moves_nothing(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(drop_notifications=1)
    payment = pay(at_rest, order)
    at_rest.instance.bank.post("/standin/deny", {"qr_content": order["payment"]["qr_content"]})
    until("we heard of the denial", lambda: learned_by(at_rest, payment) == ["denial"])
    assert _stands(customer, order) == ("placed", money())
    pay(at_rest, order)
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_a_denial_while_its_refund_is_refused_leaves_no_loss(at_rest: Inside) -> None:
    loss_before = at_rest.books().get("denied_loss", 0)
    customer, order = bought(at_rest, 1)
    at_rest.instance.bank.faults(refuse_refunds=ALL)
    second = pay(at_rest, order)
    until(
        "the refund was refused",
        lambda: at_rest.rows(
            "SELECT 1 FROM refunds WHERE payment = %s AND last_answer IS NOT NULL", second["rrn"]
        ),
    )
    at_rest.instance.bank.post(
        "/standin/deny", {"qr_content": order["payment"]["qr_content"], "rrn": second["rrn"]}
    )
    ends(customer, order, "executed", captured=10_000, executed=10_000, seconds=RETRY_SECONDS_MAX)
    assert at_rest.rows("SELECT state FROM refunds WHERE payment = %s", second["rrn"]) == [
        {"state": "void"}
    ]
    assert at_rest.books().get("denied_loss", 0) == loss_before


# -- a slow bank --------------------------------------------------------------------------------


def test_a_bank_slower_than_we_wait_still_sells(without_patience: Inside) -> None:
    customer = without_patience.customer()
    bank = without_patience.instance.bank
    bank.faults(response_delay_seconds=1.5)
    order = customer.place(1)
    assert order["payment"]["qr_content"] is None
    bank.clear_faults()
    qr = payable(customer, order)

    bank.faults(response_delay_seconds=1.5, drop_notifications=1)
    assert bank.pay(qr).status == 200
    asked = "SELECT 1 FROM payment_attempts WHERE qr_content = %s AND asked > 1"
    until("we asked in vain", lambda: without_patience.rows(asked, qr))
    assert _stands(customer, order) == ("placed", money())
    bank.clear_faults()
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_a_refund_answered_too_late_is_made_once(without_patience: Inside) -> None:
    customer, order = bought(without_patience, 1)
    bank = without_patience.instance.bank
    bank.faults(response_delay_seconds=1.5)
    refund = customer.post("/v1/refunds", {"order_id": order["id"]}).json
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


# -- no bank ------------------------------------------------------------------------------------


def _bank_answers(inside: Inside) -> bool:
    try:
        return inside.instance.bank.get("/healthz").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_an_order_placed_while_the_bank_is_down_is_paid_later(at_rest: Inside) -> None:
    customer = at_rest.customer()
    at_rest.instance.kill("standins")
    order = customer.place(1)
    assert order["payment"]["qr_content"] is None
    until("the bank is back", lambda: _bank_answers(at_rest))
    assert at_rest.instance.bank.pay(payable(customer, order)).status == 200
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_a_payment_the_bank_took_before_it_went_down_is_executed(at_rest: Inside) -> None:
    customer = at_rest.customer()
    order = customer.place(1)
    at_rest.instance.bank.faults(notification_delay_seconds=1, query_500=1)
    pay(at_rest, order)
    at_rest.instance.kill("standins")
    ends(customer, order, "executed", captured=10_000, executed=10_000)


def test_a_refund_asked_for_while_the_bank_is_down_is_made_later(at_rest: Inside) -> None:
    customer, order = bought(at_rest, 1)
    at_rest.instance.kill("standins")
    assert customer.post("/v1/refunds", {"order_id": order["id"]}).status == 201
    ends(customer, order, "returned", captured=10_000, refunded=10_000)


# -- an issuer that cannot issue ----------------------------------------------------------------


@pytest.fixture
def stopped(in_a_hurry: Inside) -> Iterator[Inside]:
    """The hurried instance with issuing stopped; open again afterwards."""
    in_a_hurry.set_issuing(is_open=False)
    yield in_a_hurry
    in_a_hurry.set_issuing(is_open=True)


def test_money_comes_back_by_itself_when_nothing_can_be_issued(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    done = in_a_hurry.instance.command("issuing", "stop", "the Treasury is closed")
    assert done.stdout == "issuing is stopped: the Treasury is closed\n"
    order = customer.place(2)
    pay(in_a_hurry, order)
    ends(customer, order, "paid", captured=20_000, in_flight=20_000)
    ends(customer, order, "returned", captured=20_000, refunded=20_000)
    assert customer.balance()["available"] == 0
    assert in_a_hurry.instance.command("issuing", "open").stdout == "issuing is open\n"
    pay(in_a_hurry, customer.place(1))
    until("stamps are issued again", lambda: customer.balance()["available"] == 1)


def test_issuing_that_opens_in_time_executes_what_waits(stopped: Inside) -> None:
    customer = stopped.customer()
    order = customer.place(2)
    pay(stopped, order)
    ends(customer, order, "paid", captured=20_000, in_flight=20_000)
    stopped.set_issuing(is_open=True)
    ends(customer, order, "executed", captured=20_000, executed=20_000)
    assert customer.balance()["available"] == 2


def test_a_denial_of_money_in_flight_takes_it_from_there(stopped: Inside) -> None:
    customer = stopped.customer()
    order = customer.place(1)
    pay(stopped, order)
    ends(customer, order, "paid", captured=10_000, in_flight=10_000)
    stopped.instance.bank.post("/standin/deny", {"qr_content": order["payment"]["qr_content"]})
    ends(customer, order, "denied")
    stopped.set_issuing(is_open=True)
    assert customer.balance()["available"] == 0


# -- orders of documents ------------------------------------------------------------------------


def test_an_order_of_documents_is_executed_when_they_are_stamped(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    order = in_a_hurry.order_documents(customer, pdf(), pdf(2))
    pay(in_a_hurry, order)
    ends(customer, order, "executed", captured=20_000, executed=20_000)
    states = [one["state"] for one in in_a_hurry.stampings_of(order["id"])]
    assert states == ["delivered", "delivered"]
    assert customer.balance()["available"] == 0


def test_an_order_of_documents_comes_back_when_nothing_can_be_issued(stopped: Inside) -> None:
    customer = stopped.customer()
    order = stopped.order_documents(customer, pdf())
    pay(stopped, order)
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
    until(
        "its document waits no longer",
        lambda: [one["state"] for one in stopped.stampings_of(order["id"])] == ["dropped"],
    )


def _spoil(inside: Inside, sha256: bytes) -> None:
    (kept,) = inside.instance.data.glob(f"objects/*/{sha256.hex()}-*")
    kept.write_bytes(b"the disk has lost this")


def test_a_document_that_cannot_be_stamped_in_time_comes_back(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    order = in_a_hurry.order_documents(customer, pdf())
    _spoil(in_a_hurry, in_a_hurry.stampings_of(order["id"])[0]["sha256_original"])
    pay(in_a_hurry, order)
    ends(customer, order, "paid", captured=10_000, in_flight=10_000)
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
    (stamping,) = in_a_hurry.stampings_of(order["id"])
    assert (stamping["state"], stamping["refused"]) == ("failed", "not_in_time")


def test_of_two_documents_the_one_that_is_stamped_is_paid_for(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    order = in_a_hurry.order_documents(customer, pdf(), pdf(2))
    _spoil(in_a_hurry, in_a_hurry.stampings_of(order["id"])[1]["sha256_original"])
    pay(in_a_hurry, order)
    ends(customer, order, "executed", captured=20_000, executed=10_000, refunded=10_000)
    states = [one["state"] for one in in_a_hurry.stampings_of(order["id"])]
    assert states == ["delivered", "failed"]


def test_a_denial_of_stamped_documents_is_our_loss(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    order = in_a_hurry.order_documents(customer, pdf())
    pay(in_a_hurry, order)
    ends(customer, order, "executed", captured=10_000, executed=10_000)
    in_a_hurry.instance.bank.post("/standin/deny", {"qr_content": order["payment"]["qr_content"]})
    ends(customer, order, "denied")
    assert [one["state"] for one in in_a_hurry.stampings_of(order["id"])] == ["delivered"]
