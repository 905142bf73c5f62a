"""A lease is longer than its work, or the platform does not start."""

import asyncio
from itertools import chain
from pathlib import Path

import pytest

from meterai.apps.container import build_services
from meterai.apps.rooms import ROOMS
from meterai.plumbing.config import Settings
from meterai.plumbing.work.leases import Lease, LeaseTooShort
from tests.support.shop import dead_bank


async def _start(settings: Settings) -> list[Lease]:
    async with build_services(settings) as container:
        return list(chain.from_iterable(room.leases(container) for room in ROOMS))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"bank_lease_seconds": 1.0}, "payment attempts"),
        ({"bank_timeout_seconds": 10.0}, "payment attempts"),
    ],
)
def test_too_short_lease_prevents_the_start(
    changes: dict[str, float], name: str, database_url: str, tmp_path: Path
) -> None:
    settings = dead_bank(tmp_path).replaced(database_url=database_url, **changes)
    with pytest.raises(LeaseTooShort) as refusal:
        asyncio.run(_start(settings))
    assert refusal.value.facts()["name"] == name
