"""Figures of a period by channel and region, each recomputed from the acts."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.distribution.conftest import PRICE, UNIT, Depot
from tests.support.live_figures import Rows, counted

DAY = timedelta(days=1)


def found(depot: Depot, name: str) -> Rows:
    now = datetime.now(UTC)
    return counted(depot.shop, name, now - DAY, now + DAY)


@pytest.fixture
def two(depot: Depot) -> tuple[Depot, Depot]:
    """Two distributors of two regions; the second has sold nothing."""
    depot.top_up(10 * PRICE)
    other = Depot(depot.shop)
    other.approve(region="Bali")
    other.top_up(10 * PRICE)
    return depot, other


def test_sales_of_two_distributors_and_of_retail_are_shares_of_one(
    two: tuple[Depot, Depot],
) -> None:
    first, second = two
    first.sell(5)
    second.sell(1)
    first.work()
    first.shop.pay(first.shop.place(4))
    first.shop.work()
    kinds = found(first, "channel_kinds")
    assert {of: one["stamps"] for of, one in kinds.items()} == {"api": 4, "distributor": 6}
    assert kinds["distributor"]["channels"] == 2
    assert kinds["distributor"]["sold_share"] == pytest.approx(0.6)
    assert kinds["distributor"]["duty_rupiah"] == 6 * PRICE
    assert kinds["distributor"]["paid_rupiah"] == 6 * UNIT
    regions = found(first, "channel_regions")
    assert {of: one["stamps"] for of, one in regions.items()} == {"Jawa Barat": 5, "Bali": 1}
    assert {one["sellers"] for one in regions.values()} == {1}
    all_of_it = found(first, "channel_concentration")[""]
    assert all_of_it["channels"] == 3
    assert all_of_it["top_share"] == pytest.approx(0.5)
    assert all_of_it["top_three_share"] == pytest.approx(1)
    assert all_of_it["herfindahl"] == 4_200  # concentration: 0.5² + 0.4² + 0.1²
    assert (all_of_it["regions"], all_of_it["regions_with_sales"]) == (2, 2)
    assert found(first, "channels")["distributor"]["stamps"] == 6


def test_waiting_lapsed_and_returned_sales_are_counted(two: tuple[Depot, Depot]) -> None:
    first, _ = two
    first.sell(2)
    waiting = first.sell(20)
    first.work()
    first.top_up(30 * PRICE)
    first.work()
    assert first.sale(waiting).state == "executed"
    sales = found(first, "deposit_sales")[""]
    assert (sales["made"], sales["waited"], sales["lapsed"]) == (2, 1, 0)
    assert sales["short_days"] == 1
    longest = sales["longest_seconds"]
    assert longest is not None
    assert longest > 0
    assert sales["returned_rupiah"] == 0
    regions = found(first, "deposit_sales_by_region")
    assert set(regions) == {"Jawa Barat"}


def test_deposits_are_counted_once_and_apart(two: tuple[Depot, Depot]) -> None:
    first, second = two
    first.sell(3)
    first.work()
    money = found(first, "money")[""]
    assert money["captured_rupiah"] == 20 * PRICE
    assert money["executed_rupiah"] == 3 * UNIT
    assert money["deposits_rupiah"] == first.balance + second.balance == 20 * PRICE - 3 * UNIT
