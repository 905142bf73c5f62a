"""Measure the strength of the tests: plant one-line faults one by one, and report which of them the tests find.

Usage: python -m scripts.planted [--commit COMMIT] [--room ROOM] [--shard 1/4] [--whole]

`faults.jsonl` has one fault a line: `file` under meterai/, the `kind` of fault, the text that `was` there (once in the
file), the text that is there `now`, and what a user, an operator or an auditor `loses`. A fault is planted in a copy of
the commit. Then tests run until one fails: the test that found it the last time, those of `make test ROOM=`, and with
--whole everything that `make test` runs. Faults that are not found are printed with
a count for each room. The exit status is 1 if fewer than `FOUND_MIN` of the faults are found.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.runs import ROOT, files_of

LIST = Path(__file__).parent / "faults.jsonl"
# By the text of a fault: the test that found it the last time, which is the first to run.
FINDERS = ROOT / "build" / "planted.json"
FOUND_MIN = 0.95
# A fault can make a program wait for ever. A run that takes so long has found it.
RUN_SECONDS_MAX = 1_800
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?: - .*)?$", re.MULTILINE)
PASSED, NOTHING_RAN = (0, 5)  # statuses of pytest


@dataclass(frozen=True)
class Fault:
    """A fault to plant."""

    file: str
    kind: str
    was: str
    now: str
    loses: str

    @property
    def room(self) -> str:
        """The room with the fault."""
        return self.file.partition("/")[0].removesuffix(".py")


def faults() -> list[Fault]:
    """The list."""
    return [Fault(**json.loads(line)) for line in LIST.read_text().splitlines()]


class Copy:
    """A copy of a commit with an environment of its own, in which faults are planted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._written = int(time.time())

    @classmethod
    def of(cls, commit: str, folder: Path) -> "Copy":
        """Copy a commit into a folder, beside a link to ../shared."""
        root = folder / "copy"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root)], check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=root, check=True)
        if (ROOT.parent / "shared").is_dir():
            (folder / "shared").symlink_to(ROOT.parent / "shared")
        subprocess.run(["make", "setup", "tools"], cwd=root, check=True, capture_output=True)
        return cls(root)

    def write(self, path: Path, text: str) -> None:
        """Write a file, with a time of change that no compiled file of it has."""
        path.write_text(text)
        self._written += 2
        os.utime(path, (self._written, self._written))

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """Plant a fault for the time of the block."""
        path, schema = self.root / "meterai" / fault.file, self.root / "migrations" / "schema.toml"
        whole, described = path.read_text(), schema.read_text()
        if whole.count(fault.was) != 1:
            raise SystemExit(
                f"{fault.file} has this text {whole.count(fault.was)} times: {fault.was}"
            )
        self.write(path, whole.replace(fault.was, fault.now))
        if path.suffix == ".sql":  # as the author of the fault would do
            self._run([".venv/bin/python", "-m", "scripts.schema"])
        try:
            yield
        finally:
            self.write(path, whole)
            schema.write_text(described)

    def finder(self, words: list[str], *, at_once: bool = False) -> str | None:
        """Run tests until one fails, and return its name; None if all pass."""
        besides = ["--numprocesses=2", "--dist=loadfile"] if at_once else []
        status, output = self._run(
            [".venv/bin/python", "-m", "pytest", "-x", "-q", "--no-header", *besides, *words]
        )
        if status in (PASSED, NOTHING_RAN):
            return None
        failed = _FAILED.search(output)
        return failed[1] if failed else f"a run that ends with {status}"

    def _run(self, command: list[str]) -> tuple[int | None, str]:
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status: int | None = process.wait(timeout=RUN_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                status = None
            output.seek(0)
            return status, output.read()


def find(copy: Copy, fault: Fault, before: str | None, *, is_whole: bool) -> str | None:
    """The name of a test that finds the fault, or None."""
    if before and (copy.root / before.partition("::")[0]).exists():
        found = copy.finder([before])
        if found:
            return found
    tests = copy.root / "tests"
    of_room = files_of(fault.room, tests) if (tests / fault.room).is_dir() else []
    return (copy.finder(of_room) if of_room else None) or (
        copy.finder([], at_once=True) if is_whole else None
    )


def report(found: dict[Fault, str | None]) -> int:
    """Print the score of each room and the faults that no test found. Return the exit status."""
    planted = Counter(fault.room for fault in found)
    seen = Counter(fault.room for fault, finder in found.items() if finder)
    for room in sorted(planted):
        print(f"{room:16} {seen[room]:3} of {planted[room]:3}")
    for fault, finder in found.items():
        if not finder:
            print(f"NOT FOUND {fault.file}: {fault.loses}\n  was {fault.was}\n  now {fault.now}")
    share = seen.total() / max(planted.total(), 1)
    print(f"found {seen.total()} of {planted.total()}: {share:.1%}")
    return 0 if share >= FOUND_MIN else 1


def main() -> int:
    options = argparse.ArgumentParser(description="plant faults and report which the tests find")
    options.add_argument("--commit", default="HEAD")
    options.add_argument("--room")
    options.add_argument("--shard", default="1/1", help="the first of four parts of the list: 1/4")
    options.add_argument("--whole", action="store_true", help="the whole of `make test`, at last")
    asked = options.parse_args()
    part, parts = map(int, asked.shard.split("/"))
    wanted = [one for one in faults() if asked.room in (None, one.room)][part - 1 :: parts]
    known: dict[str, str] = json.loads(FINDERS.read_text()) if FINDERS.is_file() else {}
    found: dict[Fault, str | None] = {}
    folder = Path(tempfile.mkdtemp(prefix="meterai-planted-"))
    try:
        copy = Copy.of(asked.commit, folder)
        for fault in wanted:
            begun = time.monotonic()
            key = f"{fault.file}: {fault.was}"
            with copy.planted(fault):
                found[fault] = find(copy, fault, known.get(key), is_whole=asked.whole)
            took = time.monotonic() - begun
            print(f"{took:6.0f} s {key} | {found[fault] or 'NOT FOUND'}", flush=True)
            if finder := found[fault]:
                known[key] = finder
                FINDERS.parent.mkdir(exist_ok=True)
                FINDERS.write_text(json.dumps(known, indent=0))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(found)


if __name__ == "__main__":
    sys.exit(main())
