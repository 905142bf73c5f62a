"""Orders that are paid late, not issued or not stamped are executed, or refunded automatically."""

from collections.abc import Iterator
from typing import Any

import pytest

from meterai.kit.ids import read
from tests.support.inside import Inside
from tests.support.instance import Instance, until
from tests.support.money import at_rest_afterwards, ends, pay
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(1, of="file")


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance where a test ends the time of an order.

    A fixed short time would not work: a busy machine needs some seconds before an order is paid or stamped.
    """
    settings = {"METERAI_SEAL_LEASE_SECONDS": "0.5"}
    with Instance(tmp_path_factory.mktemp("hurried"), **settings) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


@pytest.fixture
def in_a_hurry(hurried: Inside) -> Iterator[Inside]:
    """The instance. Afterwards the money is accounted for."""
    yield from at_rest_afterwards(hurried)


def lapses(inside: Inside, order: dict[str, Any]) -> None:
    """Let the time to pay of an order run out."""
    with inside.connect() as owner:
        number = read("ord", order["id"])
        owner.execute("UPDATE orders SET lapses_at = now() WHERE order_id = %s", [number])
        owner.execute("UPDATE payment_attempts SET expires_at = now() WHERE subject = %s", [number])


def falls_due(inside: Inside, order: dict[str, Any]) -> None:
    """Let the due time of an order pass, also for its documents that are started or wait for stamps."""
    with inside.connect() as owner:
        number = read("ord", order["id"])
        owner.execute("UPDATE orders SET due_at = now() WHERE order_id = %s", [number])
        owner.execute(
            "UPDATE stampings SET due_at = now() WHERE order_id = %s AND due_at IS NOT NULL",
            [number],
        )


def stand(inside: Inside, order: dict[str, Any], *states: str) -> None:
    """Wait until the documents of an order are in these states."""
    until(
        f"its documents are {states}",
        lambda: tuple(one["state"] for one in inside.stampings_of(order["id"])) == states,
    )


# -- late ---------------------------------------------------------------------------------------


def test_payment_after_the_time_to_pay_is_executed(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    # The bank does not cancel the QR. It is paid nevertheless, and the money is used.
    in_a_hurry.instance.bank.faults(cancel_500=-1)
    order = customer.place(2)
    lapses(in_a_hurry, order)
    ends(customer, order, "lapsed")
    pay(in_a_hurry, order)
    ends(customer, order, "executed", captured=20_000, executed=20_000)
    assert customer.balance()["available"] == 2


# -- issuing stopped ----------------------------------------------------------------------------


@pytest.fixture
def stopped(in_a_hurry: Inside) -> Iterator[Inside]:
    """The instance with issuing stopped; opened again afterwards."""
    in_a_hurry.set_issuing(is_open=False)
    yield in_a_hurry
    in_a_hurry.set_issuing(is_open=True)


def test_unissued_order_is_refunded_automatically(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    done = in_a_hurry.instance.command("issuing", "stop", "the Treasury is closed")
    assert done.stdout == "issuing is stopped: the Treasury is closed\n"
    order = customer.place(2)
    pay(in_a_hurry, order)
    ends(customer, order, "paid", captured=20_000, in_flight=20_000)
    falls_due(in_a_hurry, order)
    ends(customer, order, "returned", captured=20_000, refunded=20_000)
    assert customer.balance()["available"] == 0
    assert in_a_hurry.instance.command("issuing", "open").stdout == "issuing is open\n"
    pay(in_a_hurry, customer.place(1))
    until("stamps are issued again", lambda: customer.balance()["available"] == 1)


def test_issuing_opened_in_time_executes_waiting_orders(stopped: Inside) -> None:
    customer = stopped.customer()
    order = customer.place(2)
    pay(stopped, order)
    ends(customer, order, "paid", captured=20_000, in_flight=20_000)
    stopped.set_issuing(is_open=True)
    ends(customer, order, "executed", captured=20_000, executed=20_000)
    assert customer.balance()["available"] == 2


# -- orders of documents ------------------------------------------------------------------------


def test_unissued_order_of_documents_is_refunded(stopped: Inside) -> None:
    customer = stopped.customer()
    order = stopped.order_documents(customer, pdf())
    pay(stopped, order)
    ends(customer, order, "paid", captured=10_000, in_flight=10_000)
    falls_due(stopped, order)
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
    until(
        "its document waits no longer",
        lambda: [one["state"] for one in stopped.stampings_of(order["id"])] == ["dropped"],
    )


def _spoil(inside: Inside, sha256: bytes) -> None:
    (kept,) = inside.instance.data.glob(f"objects/*/{sha256.hex()}")
    kept.write_bytes(b"the disk has lost this")


def test_document_not_stamped_in_time_is_refunded(in_a_hurry: Inside) -> None:
    customer = in_a_hurry.customer()
    order = in_a_hurry.order_documents(customer, pdf())
    _spoil(in_a_hurry, in_a_hurry.stampings_of(order["id"])[0]["sha256_original"])
    pay(in_a_hurry, order)
    ends(customer, order, "paid", captured=10_000, in_flight=10_000)
    stand(in_a_hurry, order, "reserved")
    falls_due(in_a_hurry, order)
    ends(customer, order, "returned", captured=10_000, refunded=10_000)
    (stamping,) = in_a_hurry.stampings_of(order["id"])
    assert (stamping["state"], stamping["refused"]) == ("failed", "not_in_time")
