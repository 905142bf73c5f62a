"""A refusal by a rate limit names the limit in the header fields of the IETF draft."""

from datetime import UTC, datetime, timedelta

import pytest

from meterai.accounts.model import TooManyCodes
from meterai.kit.refusal import NotFound
from meterai.orders.model import TooManyUnpaidOrders
from meterai.plumbing.http.problems import rate_limit, retry_after
from tests.tidy.sources import facts_of, refusals


def test_limit_is_named_with_its_remainder_and_reset_time() -> None:
    assert rate_limit(TooManyUnpaidOrders(unpaid_max=100), None) == {
        "RateLimit": '"unpaid_orders";r=0',
        "RateLimit-Policy": '"unpaid_orders";q=100',
    }
    again = retry_after(late := TooManyCodes(datetime.now(UTC) + timedelta(seconds=90)))
    seconds = again["Retry-After"]
    assert rate_limit(late, seconds) == {"RateLimit": f'"sign_in_codes";r=0;t={seconds}'}
    assert rate_limit(NotFound("it is not there"), None) == {}


@pytest.mark.parametrize("kind", [one for one in refusals() if one.quota])
def test_quantity_of_a_limit_is_in_its_refusal(kind: type[TooManyUnpaidOrders]) -> None:
    assert kind.quota is not None
    name, fact = kind.quota
    assert name.replace("_", "").isalpha()
    assert not fact or fact in facts_of(kind)


@pytest.mark.parametrize("kind", [one for one in refusals() if one.status == 429])
def test_refusal_with_429_names_its_limit(kind: type[TooManyUnpaidOrders]) -> None:
    assert kind.quota is not None
