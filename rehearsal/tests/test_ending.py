"""An aborted rehearsal leaves nothing behind."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from meterai.commands import Exit
from tests.support.commands import ROOT, environment
from tests.support.instance import READY_SECONDS_MAX, until

PLAN = """
name = "long"
seed = 1
[arrivals]
points = [[0, 2], [600, 2]]
[bounds]
seconds_max = 700
[[journeys]]
name = "look"
"""


def is_alive(one: psutil.Process) -> bool:
    try:
        return bool(one.is_running() and one.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# A killed process cannot stop `up`; the system then notifies `up` of the death of its parent, if it can.
KILLED = pytest.param(signal.SIGKILL, marks=pytest.mark.variant)
ENDS = [signal.SIGTERM, *([KILLED] if sys.platform == "linux" else [])]


@pytest.mark.instance
@pytest.mark.parametrize("how", ENDS, ids=lambda how: how.name)
def test_own_installation_ends_with_the_run(tmp_path: Path, how: signal.Signals) -> None:
    plan, out = tmp_path / "long.toml", tmp_path / "run.json"
    plan.write_text(PLAN)
    words = ("rehearse", str(plan), "--up", "--data", str(tmp_path / "data"), "--out", str(out))
    with subprocess.Popen(
        [sys.executable, "-m", "meterai", *words], cwd=ROOT, env=environment({})
    ) as rehearsal:
        begun = (tmp_path / "data" / "instance.json").exists
        until("its installation is begun", begun, READY_SECONDS_MAX)
        below = psutil.Process(rehearsal.pid).children(recursive=True)
        assert below
        rehearsal.send_signal(how)
        killed = -int(signal.SIGKILL)
        assert rehearsal.wait(120) == (killed if how is signal.SIGKILL else Exit.INTERRUPTED)
    assert not out.exists()
    until("all of them have ended", lambda: not any(map(is_alive, below)), 60)
