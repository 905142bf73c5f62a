"""The folder in which the processes of one instance write their metrics.

`prometheus_client` decides at its import whether metrics are shared.  So this module imports it late, and a process
calls `join` before it counts.

The library creates a file without blocks on disk (`truncate`) and maps it. If the disk is full when a block is first
written, SIGBUS ends the process (mmap(2)). The library maps an existing file unchanged, so `join` creates the files
first, with their blocks. A process whose metrics outgrow these files is no longer protected.

A counter never decreases while an instance keeps its folder: the counts of an ended process are added to one file for
all ended processes, under a lock that readers take too.
"""

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from meterai.plumbing.config import alone, count_in, metrics_folder

# Bytes of the files of one process: at least twice as many as answers of every status by every route need.
SIZES: Mapping[str, int] = {
    "counter": 4 * 1024 * 1024,
    "histogram": 2 * 1024 * 1024,
    "gauge_livesum": 256 * 1024,
    "gauge_mostrecent": 256 * 1024,
}
_OF_PROCESS = re.compile(r"(counter|histogram)_([1-9]\d*)\.db\Z")
_GAUGE = re.compile(r"gauge_\w+_([1-9]\d*)\.db\Z")
_LOCK = "lock"
_OF_THE_DEAD = "0"  # in place of the process id, for ended processes


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, how)
        yield


@contextmanager
def reading() -> Iterator[None]:
    """Hold a lock while the block runs, so that no counts move from one metrics file to another."""
    with _locked(metrics_folder(), fcntl.LOCK_SH):
        yield


def _has_room(file: Path, size: int) -> bool:
    """Allocate the first `size` bytes of the file; False if the disk has too little space."""
    is_new = not file.exists()
    with file.open("ab") as opened:
        try:
            os.posix_fallocate(opened.fileno(), 0, size)
        except OSError:
            if is_new:
                file.unlink()  # a file without a header cannot be read
            return False
    return True


def _add(kind: str, folder: Path, file: Path) -> None:
    """Add the counts in one metrics file to the file for all ended processes, and delete the first file.

    A crash before the deletion may count them twice, but never loses them. If the disk has no space for the sum, the counts
    stay in their own file until a later call finds space.
    """
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 - once figures are shared

    sums = folder / f"{kind}_{_OF_THE_DEAD}.db"
    if not _has_room(sums, max(SIZES[kind], file.stat().st_size)):
        return
    total = MmapedDict(str(sums))  # type: ignore[no-untyped-call]
    figures = MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
    for key, value, at, _ in figures:
        before, _ = total.read_value(key)  # type: ignore[no-untyped-call]
        total.write_value(key, before + value, at)  # type: ignore[no-untyped-call]
    total.close()  # type: ignore[no-untyped-call]
    file.unlink()


def join() -> None:
    """Count in the shared folder as a new process, and gather the counts of ended processes.

    If the disk has no space for the files of this process, its metrics stay in memory.
    """
    assert "prometheus_client" not in sys.modules
    folder = metrics_folder()
    files = {folder / f"{kind}_{os.getpid()}.db": size for kind, size in SIZES.items()}
    with _locked(folder, fcntl.LOCK_EX):
        has_room = all(_has_room(file, size) for file, size in files.items())
        if not has_room:
            for file in files:
                file.unlink(missing_ok=True)
    with nullcontext() if has_room else alone():
        import prometheus_client  # noqa: F401, PLC0415 - its import decides
    gather_the_dead()


def gather_the_dead() -> None:
    """Add the counts of ended processes to one file for all ended processes; delete the gauges of these processes."""
    folder = metrics_folder()
    with _locked(folder, fcntl.LOCK_EX):
        for file in sorted(folder.iterdir()):
            if (found := _OF_PROCESS.match(file.name)) and not _is_alive(int(found[2])):
                _add(found[1], folder, file)
            elif (gauge := _GAUGE.match(file.name)) and not _is_alive(int(gauge[1])):
                file.unlink()


@contextmanager
def sharing(directory: Path) -> Iterator[None]:
    """Make `DIR/metrics` the metrics folder of this process and of its child processes, each of which calls `join`.

    If the block raises, no process was started, and a folder created here is removed again.
    """
    folder = directory / "metrics"
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    count_in(folder)
    try:
        yield
    except BaseException:
        if made:
            shutil.rmtree(made[-1])
        raise
