"""docs/errors.md says what the refusals are, each with its way out."""

import subprocess
import sys
from pathlib import Path

from scripts.errors import COMMAND, FILE

ROOT = Path(__file__).parents[2]


def test_errors_page_is_written_from_the_refusals() -> None:
    # In a process that has the classes of a web process and none of a test.
    write = "from scripts.errors import document; print(document(), end='')"
    made = subprocess.run(
        [sys.executable, "-c", write], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert FILE.read_text() == made.stdout, f"write it again with {COMMAND}"
    rows = [one for one in made.stdout.splitlines() if one.startswith("| `")]
    assert all(one.count("|") == one.rstrip("|").count("|") + 1 for one in rows)
    assert "| `busy` | 503 |" in made.stdout
