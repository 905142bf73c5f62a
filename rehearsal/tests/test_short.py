"""The benches run to their end, which shows that they were adapted to every change of the product."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.soak
@pytest.mark.parametrize(
    ("command", "end"),
    [
        ("bench", "none lost; every invariant holds"),
        ("bench.many", "every row as expected; every invariant holds"),
        ("bench.journey", "every invariant holds"),
        ("bench.journey_cost", "every invariant holds"),
        ("bench.rush", "no error page; every invariant holds"),
        ("bench.waiting", "every invariant holds"),
        ("bench.rush --posting", "no error page; every invariant holds"),
        ("bench.recovery --only watch", "the watch is right in time; every invariant holds"),
    ],
)
def test_all_measurements_run_without_error(tmp_path: Path, command: str, end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--short"],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert end in done.stdout
