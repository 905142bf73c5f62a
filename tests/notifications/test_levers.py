"""Lever of retries: its effects match its forecast."""

import pytest

from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed, NotFound
from tests.support.pulling import Member, member
from tests.support.shop import Shop


@pytest.fixture
def one(shop: Shop) -> Member:
    return member(shop, "operations")


def fail(shop: Shop) -> None:
    """Make two given-up handlers, a failing one, and a given-up mail."""
    for handler in ("notifications.tell", "notifications.tell", "orders.settle"):
        shop.call(
            "INSERT INTO dead_jobs (account_id, job_id, handler, kind, facts, created_at, tries, fault)"
            " VALUES (%s, %s, %s, 'order_paid', '{}', now(), 12, 'x')",
            shop.account,
            new_id(),
            handler,
        )
    shop.call(
        "UPDATE mails SET state = 'given_up', last_fault = 'x', tries = 9 WHERE account_id = %s",
        shop.account,
    )


def test_retry_of_all_matches_its_forecast(shop: Shop, one: Member) -> None:
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    fail(shop)
    [mails] = shop.rows("SELECT count(*) AS number FROM mails WHERE state = 'given_up'")
    told = one.forecast("jobs retry", which="all")
    found = {(one.word, one.facts["what"]): one.facts["number"] for one in told.effects}
    assert found["jobs_retried", "notifications.tell"] == 2
    assert found["jobs_retried", "orders.settle"] == 1
    assert mails["number"] > 0
    assert told.rows == 3 + mails["number"] == sum(found.values())  # type: ignore[arg-type]
    assert one.pull("jobs retry", which="all").is_done
    assert shop.rows("SELECT 1 FROM dead_jobs") == []
    assert shop.rows("SELECT 1 FROM mails WHERE state = 'given_up'") == []
    told = one.forecast("jobs retry", which="all")
    assert ([effect.word for effect in told.effects], told.rows) == (["nothing_retried"], 0)


def test_failed_job_is_retried_by_its_id(shop: Shop, one: Member) -> None:
    fail(shop)
    [first, *_] = shop.rows("SELECT job_id FROM dead_jobs ORDER BY job_id")
    assert one.pull("jobs retry", which=str(first["job_id"])).forecast.rows == 1
    assert len(shop.rows("SELECT 1 FROM dead_jobs")) == 2
    with pytest.raises(NotFound):
        one.forecast("jobs retry", which=str(new_id()))
    with pytest.raises(Malformed):
        one.forecast("jobs retry", which="most")
