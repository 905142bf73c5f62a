"""Cores of processes, and processor time of each group of processes."""

import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

FLUSHES = 200  # take a fifth of a second on a slow disk


class Group:
    """One process with its descendants: the web, PostgreSQL, the bank."""

    def __init__(self, root: psutil.Process, *, with_children: bool = True) -> None:
        self._root = root
        self._with_children = with_children

    def _all(self) -> list[psutil.Process]:
        below = self._root.children(recursive=True) if self._with_children else []
        return [self._root, *below]

    def cpu(self) -> float:
        """Return processor seconds so far, including those of ended processes."""
        total = 0.0
        for one in self._all():
            try:
                spent = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += spent.user + spent.system
            if self._with_children:
                total += getattr(spent, "children_user", 0.0)
                total += getattr(spent, "children_system", 0.0)
        return total

    def pin(self, cores: Iterable[int]) -> None:
        """Pin every thread of the group to these cores, if the system can."""
        wanted = set(cores)
        if not hasattr(os, "sched_setaffinity"):
            return
        for one in self._all():
            for thread in one.threads():
                try:
                    os.sched_setaffinity(thread.id, wanted)
                except ProcessLookupError:
                    continue

    def pause(self) -> None:
        """Suspend the process."""
        self._root.suspend()

    def go_on(self) -> None:
        """Resume the process."""
        self._root.resume()


def parts_of_instance() -> dict[str, Group]:
    """Return the groups of the instance below this process: 'web', 'worker', 'standins' and 'postgres'."""
    found: dict[str, Group] = {}
    for parent in psutil.Process().children():
        for one in parent.children():
            is_database = Path(one.exe()).name == "postgres"
            found["postgres" if is_database else one.cmdline()[-1]] = Group(one)
    return found


def cores() -> tuple[set[int], set[int]]:
    """Return one core for the web, and the remaining cores for all other processes; if there is only one core, it is in
    both.
    """
    if hasattr(os, "sched_getaffinity"):
        ours = sorted(os.sched_getaffinity(0))
    else:
        ours = list(range(os.cpu_count() or 1))
    return {ours[-1]}, set(ours[:-1] or ours)


def flush_seconds(folder: Path) -> float:
    """Return the duration of one small durable write, on which every commit waits."""
    with (folder / "flush").open("wb", buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(FLUSHES):
            file.write(b"x" * 512)
            os.fsync(file.fileno())
        return (time.perf_counter() - begun) / FLUSHES


def cpu_per_call(call: Callable[[], object], seconds: float) -> float:
    """Return processor seconds of one call, in this process, after one warm-up call."""
    call()
    calls, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        call()
        calls += 1
    return spent / calls


def description() -> str:
    """Return the machine and the Python version, in one line."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load average {busy:.1f} before we began, Python {platform.python_version()}"
    )
