"""The instance that gets malformed requests, and the customer who sends them."""

import re
from collections.abc import Iterator

import pytest

from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.money import payable

STAMPS = 16  # stamps of the customer who makes the mistakes


@pytest.fixture(scope="package")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance that gets malformed requests. At the end its log has no fault, and its books hold."""
    with Instance(tmp_path_factory.mktemp("nonsense")) as instance:
        found = Inside(instance)
        yield found
        found.until("no job is left", lambda: not found.rows("SELECT 1 FROM jobs"))
        instance.assert_audit_holds()
        faults = re.findall(r"^.*\] (?:fault|job_failed|round_failed)\b.*$", instance.log, re.M)
        assert faults == []


@pytest.fixture(scope="package")
def customer(inside: Inside) -> Client:
    """A customer with stamps, who loses none of them by a mistake."""
    found = inside.customer()
    order = found.place(STAMPS)
    inside.instance.bank.pay(payable(found, order))
    until("stamps are issued", lambda: found.balance()["available"] == STAMPS)
    return found


@pytest.fixture
def unharmed(customer: Client) -> Iterator[Client]:
    """The customer, whose stamps are the same after the test."""
    before = customer.balance()
    yield customer
    assert customer.balance() == before
