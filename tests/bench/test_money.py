"""A provider is dead for two days: what was to go back is settled by the next, and nobody had to do anything."""

from pathlib import Path

from bench.money.dead_provider import DAY_SECONDS, HOUR_SECONDS, counter, measure

REFUNDS = 30


def test_refunds_of_two_days_without_a_provider_are_settled_the_next_day(
    database_url: str, tmp_path: Path
) -> None:
    with counter(database_url, tmp_path) as till:
        found = measure(till, database_url, REFUNDS)
    assert found.settled == REFUNDS
    assert found.hours <= found.hours_of_items <= DAY_SECONDS / HOUR_SECONDS
