"""A lease is longer than what it covers, or the platform does not start."""

import asyncio
from pathlib import Path

import pytest

from meterai.apps.container import build_services
from meterai.apps.leases import LeaseTooShort, check_leases, leases
from meterai.apps.settings import settings_of as make_settings
from tests.support.shop import dead_bank


def test_as_they_are_set_every_lease_is_long_enough() -> None:
    check_leases(make_settings(), 0.0)
    names = [lease.name for lease in leases(make_settings(), 0.0)]
    assert names == ["payment attempts", "refunds", "stampings", "mails"]


@pytest.mark.parametrize(
    ("changes", "seal_seconds_max", "name"),
    [
        ({"bank_lease_seconds": 1.0}, 0.0, "payment attempts"),
        ({"bank_timeout_seconds": 10.0}, 0.0, "payment attempts"),
        ({"seal_lease_seconds": 30.0}, 30.0, "stampings"),
    ],
)
def test_one_that_is_too_short_is_named_with_both_numbers(
    changes: dict[str, float], seal_seconds_max: float, name: str
) -> None:
    with pytest.raises(LeaseTooShort) as refusal:
        check_leases(make_settings(**changes), seal_seconds_max)
    facts = refusal.value.facts()
    assert facts["name"] == name
    assert str(facts["lease_seconds"]) in str(refusal.value)
    assert str(facts["covered_seconds"]) in str(refusal.value)


def test_nothing_starts_with_a_lease_that_is_too_short(database_url: str, tmp_path: Path) -> None:
    settings = dead_bank(tmp_path).replaced(database_url=database_url, bank_lease_seconds=2.0)

    async def start() -> None:
        async with build_services(settings):
            raise AssertionError("it started")

    with pytest.raises(LeaseTooShort):
        asyncio.run(start())
