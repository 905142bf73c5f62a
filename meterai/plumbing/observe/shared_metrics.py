"""The folder through which the processes of one instance count together.

`prometheus_client` decides when it is imported whether its figures are shared, so this module must
not import it before that, and whoever calls `sharing` must do so first.

A counter never goes back while an instance has its folder: what an ended process counted is added
to one file for all ended processes, under a lock that readers take too.
"""

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meterai.plumbing.config import count_in, metrics_folder

_OF_PROCESS = re.compile(r"(counter|histogram|summary)_([1-9]\d*)\.db\Z")
_GAUGE = re.compile(r"gauge_\w+_([1-9]\d*)\.db\Z")
_LOCK = "lock"
_OF_THE_DEAD = "0"  # in place of a process number


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
    """Hold the lock under which no figures move from one file to another."""
    with _locked(metrics_folder(), fcntl.LOCK_SH):
        yield


def _add(kind: str, folder: Path, file: Path) -> None:
    """Add the figures of one file to those of ended processes.

    A crash between the two counts them twice; it does not lose them.  Where the disk has no room
    for the sum, they stay in their own file until it has.
    """
    from meterai.plumbing.observe.figure_files import (  # noqa: PLC0415 - once figures are shared
        BYTES_MIN,
        Figures,
        has_room,
        used,
    )

    sums = folder / f"{kind}_{_OF_THE_DEAD}.db"
    if not has_room(sums, max(BYTES_MIN, used(sums) + used(file))):
        return
    total = Figures(str(sums))
    figures = Figures.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
    for key, value, at, _ in figures:
        before, _ = total.read_value(key)  # type: ignore[no-untyped-call]
        total.write_value(key, before + value, at)  # type: ignore[no-untyped-call]
    total.close()  # type: ignore[no-untyped-call]
    file.unlink()


def join() -> None:
    """Count in the shared folder as a new process, and gather what ended ones counted."""
    from meterai.plumbing.observe.figure_files import take_blocks_first  # noqa: PLC0415 - as above

    take_blocks_first()
    gather_the_dead()


def gather_the_dead() -> None:
    """Add what ended processes counted to one file for all of them; forget their gauges."""
    folder = metrics_folder()
    with _locked(folder, fcntl.LOCK_EX):
        for file in sorted(folder.iterdir()):
            if (found := _OF_PROCESS.match(file.name)) and not _is_alive(int(found[2])):
                _add(found[1], folder, file)
            elif (gauge := _GAUGE.match(file.name)) and not _is_alive(int(gauge[1])):
                file.unlink()


@contextmanager
def sharing(directory: Path) -> Iterator[None]:
    """Let this process and those it starts count in `DIR/metrics`, from now on.

    What counts may be imported in the block.  Where the block raises, a folder that was made here
    is removed again: nothing was begun.
    """
    assert "prometheus_client" not in sys.modules
    folder = directory / "metrics"
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    count_in(folder)
    join()
    try:
        yield
    except BaseException:
        if made:
            shutil.rmtree(made[-1])
        raise
