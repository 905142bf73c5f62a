"""What processes spend: each group its own, and nobody twice."""

import os
import subprocess
import sys

from meterai.capacity.rehearsal.installation import spent_by

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True); time.sleep(60)"


def test_what_a_child_spends_is_not_its_parents() -> None:
    before = spent_by([os.getpid()])
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        own, its = spent_by([os.getpid()]), spent_by([child.pid])
        child.kill()
    assert its.cpu_seconds >= 0.3
    assert its.memory_bytes > 0
    # This process waited meanwhile.
    assert own.cpu_seconds - before.cpu_seconds < its.cpu_seconds


def test_who_has_gone_spends_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert spent_by([child.pid]).cpu_seconds == 0.0
