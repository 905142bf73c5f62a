"""Run `make test`, then run its failed tests a second time, alone.

A test that fails and then passes is printed as FLAKY. The run fails if such a test is already listed in
tests/flaky.txt. Nothing is repeated if more than `AGAIN_MAX` tests failed, or if a failure concerns books,
serials or the audit. The output of both runs is kept in build/tests.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "build" / "tests"
KNOWN = ROOT / "tests" / "flaky.txt"
AGAIN_MAX = 5
TESTS_FAILED = 1  # exit status of pytest when every test ran and some failed


def told(output: Path, *command: str) -> int:
    """Run a command, print its output and keep it in a file. Return the exit status."""
    with (
        output.open("wb") as kept,
        subprocess.Popen(
            command, bufsize=0, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        said = process.stdout
        assert said is not None
        for piece in iter(lambda: said.read(65_536), b""):
            kept.write(piece)
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    return process.returncode


def may_run_again(record: dict[str, Any]) -> bool:
    """Return True if all tests ran, a few failed, and no failure concerns books, serials or the audit."""
    of_books = record["failed"].values()
    return record["status"] == TESTS_FAILED and 0 < len(of_books) <= AGAIN_MAX and not any(of_books)


def known() -> set[str]:
    """Names of the tests in tests/flaky.txt."""
    lines = KNOWN.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def closing_line(output: Path) -> str:
    """The summary line of pytest, with the number of passed tests."""
    lines = output.read_text(errors="replace").splitlines()
    return next((line for line in reversed(lines) if " passed" in line), "")


def main() -> int:
    RECORDS.mkdir(parents=True, exist_ok=True)
    first, again, before = RECORDS / "first.txt", RECORDS / "again.txt", set(RECORDS.glob("*.json"))
    if told(first, "make", "test") == 0:
        return 0
    records = set(RECORDS.glob("*.json")) - before
    record: dict[str, Any] = (
        json.loads(max(records).read_text()) if records else {"status": 0, "failed": {}}
    )
    if not may_run_again(record):
        return 1
    failed = sorted(record["failed"])
    if told(again, sys.executable, "-m", "pytest", "--seed", str(record["seed"]), *failed):
        return 1
    print("the first run, whose whole output is in", first)
    print(closing_line(first))
    for name in failed:
        print("FLAKY", name)
    repeated = known() & set(failed)
    for name in sorted(repeated):
        print("flaky before, and not mended:", name)
    return 1 if repeated else 0


if __name__ == "__main__":
    sys.exit(main())
