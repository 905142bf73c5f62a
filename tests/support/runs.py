"""A run of the tests: its selection, its folder and its stored results (docs/decisions/0041-suite.md)."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import tomllib
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
FILES_SHOWN = 10  # the dearest ones, at the end of a run
# Not parts of the product: their own tests run each night, and in `make test` if something of theirs has changed since
# these tests passed. `PASSED` has the digest of each part as it was then.
APART = {
    "clients": ("clients", "clients/python/tests", "tests/clients"),
    "rehearsal": ("rehearsal",),
    "site": ("site", "tests/site"),
    "standins": ("standins", "tests/standins"),
}
PASSED = ROOT / "tests" / "apart.toml"
HEAD = "# Written by a run in which the tests of these parts passed (tests/support/runs.py).\n"


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
    families: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("sample")
        if mark and item not in out:
            is_of_file = mark.kwargs.get("of") == "file"
            name = item.nodeid.partition("::" if is_of_file else "[")[0]
            families[name, mark.args[0]].append(item)
    for (name, count), cases in families.items():
        taken = random.Random(f"{seed} {name}").sample(cases, min(len(cases), count))
        out |= set(cases) - set(taken)
    return out


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make test-all` runs, unless a test is named on the command line."""
    if config.option.all or any("::" in one for one in config.args):
        return
    out = left_out(items, config.option.seed)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        known = passed()
        same = {part for part in APART if known.get(part) == digest_of(part)}
        out |= {one for one in items if part_of(one.nodeid) in same}
    items[:] = [one for one in items if one not in out]
    if out:
        config.hook.pytest_deselected(items=list(out))


def files_of(room: str, tests: Path = ROOT / "tests") -> list[str]:
    """The tests of a room, and the files of other rooms that import it and start neither instance nor browser."""
    folder = tests / room
    if not folder.is_dir():
        raise pytest.UsageError(f"there are no tests of a room {room!r}")
    used = re.compile(rf"^from meterai\.{room}\b", re.M)
    files = [file for file in sorted(tests.glob("*/test_*.py")) if file.parent != folder]
    through = ("flows", "faults", "golden")
    return [str(folder)] + [
        str(file)
        for file in files
        if file.parent.name not in through
        and used.search(text := file.read_text())
        and not _STARTS.search(text)
    ]


_STARTS = re.compile(r"^from tests\.support\.(instance|inside|browser)\b|\binstance:", re.M)


def part_of(nodeid: str) -> str | None:
    """The part that a test belongs to; None for a test of the product."""
    for part, (_, *folders) in APART.items():
        if any(nodeid.startswith(f"{folder}/") for folder in folders or [f"{part}/tests"]):
            return part
    return None


def digest_of(part: str) -> str:
    """A digest of all files of a part that are its source."""
    told = hashlib.sha256()
    for folder in APART[part]:
        for file in sorted((ROOT / folder).rglob("*")):
            kept = file.relative_to(ROOT)
            if file.is_file() and not _MADE & set(kept.parts):
                told.update(f"{kept}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return told.hexdigest()[:16]


_MADE = {"__pycache__", "node_modules", "build", "dist", ".cache"}


def passed() -> dict[str, str]:
    """The digest of each part when its tests passed."""
    return tomllib.loads(PASSED.read_text()) if PASSED.is_file() else {}


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
        self._failed: set[str] = set()
        if config.option.room:
            config.args = files_of(config.option.room)
            config.args_source = pytest.Config.ArgsSource.ARGS
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
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Store the duration of each test, and which tests failed."""
        kept = {
            "status": int(exitstatus),
            "seed": session.config.option.seed,
            "all": session.config.option.all,
            "failed": sorted(self._failed),
            "seconds": {name: round(one, 2) for name, one in self._seconds.items()},
        }
        RECORDS.mkdir(parents=True, exist_ok=True)
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.json"
        (RECORDS / name).write_text(json.dumps(kept, indent=0))
        for old in sorted(RECORDS.glob("*.json"))[:-RECORDS_KEPT]:
            old.unlink()
        chosen = session.config.option.markexpr or session.config.option.keyword
        if session.config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen:
            self._keep_passed()

    def _keep_passed(self) -> None:
        """Store the digests of the parts whose tests ran and passed."""
        ran = {part_of(name) for name in self._seconds}
        failed = {part_of(name) for name in self._failed}
        known = passed()
        now = known | {part: digest_of(part) for part in APART if part in ran - failed}
        if now != known:
            lines = (f'{part} = "{told}"\n' for part, told in sorted(now.items()))
            PASSED.write_text(HEAD + "".join(lines))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the seconds of each room and of the dearest files."""
        files: dict[str, float] = defaultdict(float)
        rooms: dict[str, float] = defaultdict(float)
        for name, seconds in self._seconds.items():
            file = name.partition("::")[0]
            files[file] += seconds
            rooms["/".join(file.split("/")[:2])] += seconds
        dearest = sorted(files.items(), key=lambda one: -one[1])[:FILES_SHOWN]
        by_room = sorted(rooms.items(), key=lambda one: -one[1])
        if len(files) > 1:
            terminalreporter.section("seconds by room, and of the dearest files")
            told = [f"{room.removeprefix('tests/')} {took:.0f}" for room, took in by_room]
            terminalreporter.write_line(", ".join(told))
            for file, took in dearest:
                terminalreporter.write_line(f"{took:7.1f} {file}")
        if self._folder is not None and self._failed:
            terminalreporter.write_line(f"the folder of this run is kept: {self._folder}")

    def pytest_unconfigure(self) -> None:
        if self._folder is not None and not self._failed:
            shutil.rmtree(self._folder, ignore_errors=True)
