"""The benches of money run to their end; after a provider was dead for two days, no work remains for staff."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.money.dead_provider import DAY_SECONDS, HOUR_SECONDS, counter, measure

REFUNDS = 12


def test_refunds_of_two_days_without_a_provider_are_settled_the_next_day(
    database_url: str, tmp_path: Path
) -> None:
    with counter(database_url, tmp_path) as till:
        found = measure(till, database_url, REFUNDS)
    assert found.settled == REFUNDS
    assert found.hours <= found.hours_of_items <= DAY_SECONDS / HOUR_SECONDS


@pytest.mark.soak
@pytest.mark.parametrize("command", ["bench.money.paying 8", "bench.money.reconciling 20000"])
def test_measurements_of_money_run_to_the_end(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
