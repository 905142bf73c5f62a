"""`meterai audit` over a running instance, and both records beside each other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from meterai.apps.audit_bank import FRESH, check_bank
from meterai.plumbing.database import Row
from tests.support.inside import Inside
from tests.support.instance import Instance
from tests.support.money import bought
from tests.support.pdf import pdf


@pytest.fixture(scope="module")
def inside(instance: Instance) -> Inside:
    """The shared instance with somebody who bought, stamped, and asked the rest back."""
    inside = Inside(instance)
    customer, order = bought(inside, 3)
    assert customer.stamp(pdf(words="audit")).status == 201
    assert customer.post("/v1/refunds", {"order_id": order["id"]}).status == 201
    inside.payment = inside.rows(  # type: ignore[attr-defined]
        "SELECT payment FROM captures ORDER BY captured_at DESC LIMIT 1"
    )[0]["payment"]
    return inside


def test_an_audit_is_told_and_recorded(inside: Inside) -> None:
    done = inside.instance.command("audit", "--json", "--seals", "all")
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    assert told["holds"]
    assert told["kind"] == "full"
    again = json.loads(inside.instance.command("audit", "--incremental", "--json").stdout)
    assert again["holds"]
    done = inside.instance.command("audit")
    assert done.stdout.splitlines()[-1] == "every invariant holds"


def bank_says(inside: Inside) -> list[Row]:
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=1), now + 2 * FRESH
    return inside.ask(
        lambda house: check_bank(house.database, house.payments.provider, begins, ends)
    ).evidence


@contextmanager
def spoilt(inside: Inside, there: str, back: str) -> Iterator[None]:
    with inside.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(there.encode()).rowcount == 1
        connection.commit()
        try:
            yield
        finally:
            connection.execute(back.encode())


def test_the_bank_says_what_the_books_say(inside: Inside) -> None:
    assert bank_says(inside) == []


def test_a_payment_the_bank_does_not_know(inside: Inside) -> None:
    payment = inside.payment  # type: ignore[attr-defined]
    there = f"UPDATE captures SET payment = 'INVENTED' WHERE payment = '{payment}'"
    back = f"UPDATE captures SET payment = '{payment}' WHERE payment = 'INVENTED'"
    with spoilt(inside, there, back):
        told = {(row["is"], row["number"]) for row in bank_says(inside)}
    assert told == {("not at the bank", "INVENTED"), ("not in our books", payment)}


def test_a_payment_of_another_sum(inside: Inside) -> None:
    payment = inside.payment  # type: ignore[attr-defined]
    change = "UPDATE captures SET amount = amount {} WHERE payment = '{}'"
    with spoilt(inside, change.format("+ 1", payment), change.format("- 1", payment)):
        assert [row["number"] for row in bank_says(inside)] == [payment, payment]
    assert bank_says(inside) == []
