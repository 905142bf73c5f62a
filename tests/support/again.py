"""`make test`, and what failed in it once more, alone.

A test that fails and then passes is told as FLAKY, and fails the run only where tests/flaky.txt names it from
before.  Nothing is run again where more than a few tests failed, or one of books, serials or the audit.  The
output of both runs stays in build/tests.
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
TESTS_FAILED = 1  # the exit status of pytest where it ran everything


def told(output: Path, *command: str) -> int:
    """Run a command; what it says is shown and kept."""
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
    """True where everything ran, and so few failed that the machine may be the cause."""
    of_books = record["failed"].values()
    return record["status"] == TESTS_FAILED and 0 < len(of_books) <= AGAIN_MAX and not any(of_books)


def known() -> set[str]:
    """The tests that were flaky before."""
    lines = KNOWN.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def closing_line(output: Path) -> str:
    """What pytest said last, with how many tests passed."""
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
