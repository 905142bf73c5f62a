"""Metrics on a full disk: no request fails because of it, and earlier counts stay readable."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from meterai.plumbing.observe import shared_metrics
from meterai.plumbing.observe.shared_metrics import SIZES

# A limit on file length simulates a full disk, since fallocate fails in both cases (EFBIG).
ROOM_FOR_COUNTER = SIZES["counter"]
ROOM_FOR_GAUGES = SIZES["gauge_livesum"]
DEAD = 2**22 + 1  # larger than any process id (proc_pid_max(5))

# Joins the metrics, counts one answer, and prints the files that existed before.
COUNTS_ONE = """
import json, os, resource, signal, sys
from meterai.plumbing.observe.shared_metrics import join
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
join()
files = {one: os.stat(one).st_blocks * 512 for one in os.listdir() if one.endswith(".db")}
from meterai.plumbing.observe.metrics_port import figures
from meterai.plumbing.observe import telemetry
from prometheus_client import generate_latest
telemetry.count_answer("GET", "/here", 200, 0.1)
print(json.dumps([os.getpid(), files, figures().decode(), generate_latest().decode()]))
"""
COUNTED = 'meterai_requests_total{method="GET",route="/here",status="200"} 1.0'


def _run(code: str, folder: Path, *words: str) -> str:
    """Run code in a process of its own that counts in this folder, and return its output."""
    environ = {
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    command = [sys.executable, "-W", "ignore", "-c", code, *words]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environ, stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout


def _read(file: Path) -> dict[str, float]:
    return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(file))}


def _files(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} - {"lock"}


@pytest.mark.parametrize("allowed", [0, ROOM_FOR_GAUGES, ROOM_FOR_COUNTER - 1])
def test_process_without_room_for_its_files_counts_in_memory(tmp_path: Path, allowed: int) -> None:
    other = tmp_path / f"counter_{os.getpid()}.db"
    counted = MmapedDict(str(other))
    counted.write_value('["others_total", "others_total", {}, ""]', 5.0, 0.0)
    counted.close()
    _, files, shown, own = json.loads(_run(COUNTS_ONE, tmp_path, str(allowed)))
    assert files.keys() == _files(tmp_path) == {other.name}
    assert COUNTED in own
    assert "others_total 5.0" in shown


def test_figures_of_ended_processes_wait_for_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_metrics, "metrics_folder", lambda: tmp_path)
    file = tmp_path / f"counter_{DEAD}.db"
    counted = MmapedDict(str(file))
    counted.write_value("key", 1.0, 0.0)
    counted.close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, before[1]))
    try:
        shared_metrics.gather_the_dead()
        assert _files(tmp_path) == {file.name}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    shared_metrics.gather_the_dead()
    assert _files(tmp_path) == {"counter_0.db"}
    assert _read(tmp_path / "counter_0.db") == {"key": 1.0}
