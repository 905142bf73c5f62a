"""The measurement of orders and stampings runs to its end, whatever changed in what it measures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_everything_is_measured_and_nothing_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short"],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none lost; every invariant holds" in done.stdout
