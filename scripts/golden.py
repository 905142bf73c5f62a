"""Compare everything a user can see with another commit: `make golden BASE=COMMIT`.

`tests/golden/written.py` of each tree writes API, answers to each method, pages in both languages, commands, settings and
promises as text. A change that only moves code leaves no difference. The other commit is written twice: a file that differs
between these two depends on chance, and is named and left out.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build" / "golden"


def main() -> int:
    """Write both sides and print their differences. Return 1 if there are any."""
    asked = argparse.ArgumentParser(prog="python -m scripts.golden", description=__doc__)
    asked.add_argument("commit", help="the commit to compare this tree with")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    tree, before, again, now = (OUT / name for name in ("tree", "before", "again", "now"))
    _git("worktree", "add", "--detach", "--force", str(tree), asked.parse_args().commit)
    try:
        _write(tree, before)
        _write(tree, again)
    finally:
        _git("worktree", "remove", "--force", str(tree))
    _write(ROOT, now)
    for name in _unstable_files(before, again):
        print(f"left out, it differs in each run: {name}")
        for side in (before, now):
            (side / name).unlink(missing_ok=True)
    difference = ["git", "diff", "--no-index", "--stat=140", "--patch", str(before), str(now)]
    return subprocess.run(difference, check=False).returncode


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _write(tree: Path, out: Path) -> None:
    """Let the code of `tree` write its output."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
        *("--rootdir", str(tree), "-c", str(tree / "pyproject.toml")),
        str(tree / "tests" / "golden" / "written.py"),
    ]
    environment = os.environ | {"GOLDEN": str(out), "PYTHONPATH": str(tree)}
    subprocess.run(command, cwd=tree, env=environment, check=True)


def _unstable_files(one: Path, other: Path) -> list[Path]:
    """Return files that the same code wrote differently."""
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    return [
        name
        for name in names
        if not (other / name).is_file() or not filecmp.cmp(one / name, other / name, shallow=False)
    ]


if __name__ == "__main__":
    sys.exit(main())
