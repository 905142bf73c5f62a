"""Counting on a full disk: nobody's request ends with it, and what was counted stays readable."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from meterai.plumbing.observe import shared_metrics
from meterai.plumbing.observe.figure_files import BYTES_MIN, Figures

# A limit of the length of files stands for a full disk: fallocate fails as it does there (EFBIG).
FULL = BYTES_MIN
DEAD = 2**22 + 1  # more than any number of a process (proc_pid_max(5))


def _blocks(file: Path) -> int:
    return file.stat().st_blocks * 512


def _read(file: Path) -> dict[str, float]:
    return {key: value for key, value, *_ in Figures.read_all_values_from_file(str(file))}


def _files(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} - {"lock"}


def test_a_new_file_has_its_blocks_before_anything_is_counted(tmp_path: Path) -> None:
    figures = Figures(str(tmp_path / "counter_1.db"))
    assert _blocks(tmp_path / "counter_1.db") >= BYTES_MIN
    for number in range(3000):
        figures.write_value(f"key {number}", float(number), 0.0)
    size = (tmp_path / "counter_1.db").stat().st_size
    assert size > BYTES_MIN
    assert _blocks(tmp_path / "counter_1.db") >= size
    figures.close()
    assert _read(tmp_path / "counter_1.db")["key 2999"] == 2999.0


@pytest.mark.parametrize("allowed", [0, FULL])
def test_where_there_is_no_room_it_counts_in_memory(tmp_path: Path, allowed: int) -> None:
    """In a process of its own, which may not write more than so many bytes into a file."""
    code = f"""
from meterai.plumbing.observe.figure_files import Figures
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({allowed}, {allowed}))
figures = Figures({str(tmp_path / "counter_1.db")!r})
for number in range(3000):
    figures.write_value(f"key {{number}}", float(number), 0.0)
print(figures.read_value("key 0")[0], figures.read_value("key 2999")[0])
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["0.0", "2999.0"], ended.stderr
    left = list(tmp_path.iterdir())
    assert bool(left) is bool(allowed)  # a file without a head would be in the way of all readers
    for file in left:
        assert _read(file)["key 0"] == 0.0


def test_figures_of_the_dead_wait_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an ended process counted stays in its own file while there is no room for the sum."""
    monkeypatch.setattr(shared_metrics, "metrics_folder", lambda: tmp_path)
    file = tmp_path / f"counter_{DEAD}.db"
    counted = Figures(str(file))
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
