"""A run of the tests: its selection, its folder and its stored results (docs/decisions/0041-suite.md)."""

import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDS, RECORDS_KEPT = ROOT / "build" / "tests", 30
FOLDERS, FOLDER_DAYS_KEPT = "meterai-tests-", 2
# The database server of each process needs some hundred megabytes.
MEMORY, MEMORY_BYTES_MIN = Path("/dev/shm"), 4 * 1024**3
# An invariant that did not hold: by the name of the test, or by the line where it failed.
OF_BOOKS = re.compile(
    r"\A.*(audit|ledger|books|serial)|^>.*assert_(audit_holds|books_hold|money_is_accounted_for)",
    re.M,
)


def seed_of_the_commit() -> int:
    """A seed that is the same in each run of one commit, so that its result is too; 0 outside of a clone."""
    told = ["git", "-C", str(ROOT), "rev-parse", "--short=8", "HEAD"]
    try:
        done = subprocess.run(told, capture_output=True, text=True, check=False)
    except OSError:
        return 0
    return int(done.stdout, 16) if done.returncode == 0 else 0


def left_out(items: list[pytest.Item], seed: int) -> set[pytest.Item]:
    """Tests to skip: variants, soaks, and the cases of a sampled family that the seed does not choose."""
    out = {
        one for one in items if one.get_closest_marker("variant") or one.get_closest_marker("soak")
    }
    families: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sample") and item not in out:
            families[item.nodeid.partition("[")[0]].append(item)
    for name, cases in families.items():
        mark = cases[0].get_closest_marker("sample")
        assert mark is not None
        taken = random.Random(f"{seed} {name}").sample(cases, min(len(cases), *mark.args))
        out |= set(cases) - set(taken)
    return out


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make test-all` runs, unless a test is named on the command line."""
    if config.option.all or any("::" in one for one in config.args):
        return
    out = left_out(items, config.option.seed)
    items[:] = [one for one in items if one not in out]
    if out:
        config.hook.pytest_deselected(items=list(out))


@contextmanager
def folder_in_memory() -> Iterator[Path | None]:
    """A folder in memory that everybody can enter; None if this machine has little memory.

    Each test has a database of its own: a thousand files that are soon deleted. Before ext4 makes a file, it
    searches the inodes that were deleted in the last seconds, which takes most of the time of two processors.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_BYTES_MIN:
        yield None
        return
    with tempfile.TemporaryDirectory(
        prefix=FOLDERS, dir=MEMORY, ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Run:
    """Work of the controlling process of a test run beside the tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._folder: Path | None = None
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: dict[str, str] = {}
        if config.option.seed is None:
            config.option.seed = seed_of_the_commit()
        if config.option.all and config.option.hypothesis_seed is None:
            config.option.hypothesis_seed = str(config.option.seed)
        if config.option.basetemp is None:
            self._folder = self._make_folder()
            config.option.basetemp = str(self._folder)

    @staticmethod
    def _make_folder() -> Path:
        """A base folder for each run.

        The base folder of pytest is shared by all runs of a user, and each start changes its rights, which
        locks out the servers of another run.
        """
        home = Path(os.environ.get("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir()))
        for old in (*home.glob(f"{FOLDERS}*"), *MEMORY.glob(f"{FOLDERS}*")):
            if time.time() - old.stat().st_mtime > FOLDER_DAYS_KEPT * 86_400:
                shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=FOLDERS, dir=home))

    def pytest_report_header(self, config: pytest.Config) -> str:
        which = "everything" if config.option.all else "without variants and soaks (--all)"
        return f"{which}; families are sampled by --seed {config.option.seed}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self._failed[report.nodeid] = f"{report.nodeid}\n{report.longreprtext}"

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Store the duration of each test, and which tests failed."""
        kept = {
            "status": int(exitstatus),
            "seed": session.config.option.seed,
            "all": session.config.option.all,
            "failed": {name: bool(OF_BOOKS.search(text)) for name, text in self._failed.items()},
            "seconds": {name: round(one, 2) for name, one in self._seconds.items()},
        }
        RECORDS.mkdir(parents=True, exist_ok=True)
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.json"
        (RECORDS / name).write_text(json.dumps(kept, indent=0))
        for old in sorted(RECORDS.glob("*.json"))[:-RECORDS_KEPT]:
            old.unlink()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._folder is not None and self._failed:
            terminalreporter.write_line(f"the folder of this run is kept: {self._folder}")

    def pytest_unconfigure(self) -> None:
        if self._folder is not None and not self._failed:
            shutil.rmtree(self._folder, ignore_errors=True)
