"""Channels in the console: the rule of failing ones, their page, and the page of a distributor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meterai.console.model import (
    LAPSED_MIN,
    SILENT_DAYS,
    WAITS_LONG,
    ChannelStanding,
    Trouble,
    troubles_of,
)
from meterai.finance.service import FinanceService
from meterai.kit.days import day_of
from meterai.kit.ids import new_id, show
from tests.console.conftest import Floor
from tests.support.depot import SELLER, Depot
from tests.support.shop import Shop

NOW = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)
TODAY = day_of(NOW)
WELL = ChannelStanding(
    channel="distributor",
    name="Toko",
    account=new_id(),
    state="open",
    deposit=1_000_000,
    mean=100_000,
    low_below=500_000,
    sold_on=TODAY,
    made=100,
)


def found(**changed: Any) -> list[Trouble]:
    return list(troubles_of(replace(WELL, **changed), NOW, TODAY))


@pytest.mark.parametrize(
    ("changed", "troubles"),
    [
        ({}, []),
        ({"oldest_at": NOW - timedelta(minutes=5)}, [Trouble.WAITING]),
        ({"oldest_at": NOW - WAITS_LONG}, [Trouble.WAITING]),
        ({"oldest_at": NOW - WAITS_LONG - timedelta(seconds=1)}, [Trouble.WAITING_LONG]),
        ({"sold_on": TODAY - timedelta(days=SILENT_DAYS)}, []),
        ({"sold_on": TODAY - timedelta(days=SILENT_DAYS + 1)}, [Trouble.SILENT]),
        ({"sold_on": None}, []),
        ({"lapsed": LAPSED_MIN, "made": 10 * LAPSED_MIN}, []),
        ({"lapsed": LAPSED_MIN, "made": 10 * LAPSED_MIN - 1}, [Trouble.LAPSING]),
        ({"lapsed": LAPSED_MIN - 1, "made": LAPSED_MIN - 1}, []),
        ({"deposit": 500_000}, []),
        ({"deposit": 499_999}, [Trouble.DEPOSIT_LOW]),
        ({"deposit": 99_999, "low_below": 0}, [Trouble.DEPOSIT_LOW]),
        ({"deposit": 0, "low_below": 0, "mean": 0}, []),
        ({"endpoints_disabled": 1}, [Trouble.WEBHOOKS_DISABLED]),
        ({"state": "closing", "deposit": 0, "endpoints_disabled": 1}, []),
        ({"deposit": 0, "oldest_at": NOW}, [Trouble.WAITING, Trouble.DEPOSIT_LOW]),
    ],
)
def test_rule_names_why_a_channel_is_failing(
    changed: dict[str, Any], troubles: list[Trouble]
) -> None:
    assert found(**changed) == troubles


@pytest.fixture
def depot(shop: Shop) -> Depot:
    found = Depot(shop)
    found.approve(low_rupiah=50_000)
    found.top_up(10 * 10_000)
    return found


def count(shop: Shop) -> None:
    while shop.do(shop.container.of(FinanceService).count_channels()):
        pass


def test_page_shows_sales_of_each_channel_and_the_failing_one(floor: Floor, depot: Depot) -> None:
    depot.sell(3)
    made = depot.sell(9)  # more than the deposit
    depot.work()
    depot.shop.arrange(
        "UPDATE sales SET made_at = made_at - interval '2 hours' WHERE state = 'waiting'"
    )
    count(depot.shop)
    floor.seat("supervisor")
    page = floor.get("/console/channels")
    assert page.status_code == 200, page.text
    shown = show("acc", depot.account)
    assert f'href="/console/channels/{shown}"' in page.text
    assert SELLER in page.text
    assert page.text.index("<article") < page.text.index("<table")
    one = floor.get(f"/console/channels/{shown}")
    assert one.status_code == 200
    for part in (made.id, "Jawa Barat", f"/console/levers/deposits.refund?organization={shown}"):
        assert part in one.text, part
    listed = floor.get("/console/work/channels").text
    assert SELLER in listed
    assert f"/console/channels/{shown}" in listed
    assert [row[0] for row in floor.trail("console_opened")] == [shown]


def test_search_finds_a_distributor_by_name_and_a_sale_by_number(
    floor: Floor, depot: Depot
) -> None:
    made = depot.sell(2)
    depot.work()
    floor.seat("support")
    shown = show("acc", depot.account)
    by_name = floor.get("/console", q=SELLER.upper())
    assert by_name.headers["location"] == f"/console/channels/{shown}"
    sale = floor.get(f"/console/subjects/sale/{made.id}")
    assert sale.status_code == 200
    for part in (made.order, f"/console/channels/{shown}"):
        assert part in sale.text, part
    order = floor.get(f"/console/subjects/order/{made.order}").text
    assert made.id in order
    account = floor.get(f"/console/subjects/account/{shown}").text
    assert made.id in account
    assert f"/console/channels/{shown}" in account
