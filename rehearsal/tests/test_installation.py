"""Resources of processes: each group has its own, and none is counted twice."""

import os
import subprocess
import sys

import psutil

from meterai_rehearsal.rehearsal.installation import spent_below, spent_by

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True); time.sleep(60)"


def test_resources_of_child_are_not_counted_for_parent() -> None:
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


def test_ended_process_has_no_resources() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert spent_by([child.pid]).cpu_seconds == 0.0


# A process whose child is a server, which runs a task and outlives the task.
TASK = "import time\nwhile time.process_time() < 0.3: pass"
SERVER = f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {TASK!r}])\nprint(flush=True); time.sleep(60)"
ROOT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SERVER!r}])"


def test_task_that_ended_below_a_server_is_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", ROOT], stdout=subprocess.PIPE) as root:
        assert root.stdout is not None
        root.stdout.readline()
        of_root = psutil.Process(root.pid)
        spent = spent_below(of_root)
        for one in (*of_root.children(recursive=True), of_root):
            one.kill()
    assert spent.cpu_seconds >= 0.3
