"""A test that ends its process is reported as failed, and the run continues to its end."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.commands import ROOT

SHARING = """
from tests.support.side_by_side import WholeFiles
def pytest_xdist_make_scheduler(config, log):
    return WholeFiles(config, log)
"""
QUIET = """
import pytest
@pytest.mark.parametrize("number", range(6))
def test_quiet(number):
    assert number < 6
"""
ENDING = (
    QUIET
    + """
import os, signal
def test_ending():
    os.kill(os.getpid(), signal.SIGKILL)
def test_after():
    assert True
"""
)
FILES = 12
ARGUMENTS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-c", os.devnull)
# The last test too: by then only tests that its process had already started are left.
OF_ENDING = (5, 11)


def test_other_tests_are_run_and_reported(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHARING)
    for number in range(FILES):
        text = ENDING if number in OF_ENDING else QUIET
        (tmp_path / f"test_file_{number:02}.py").write_text(text)
    run = subprocess.run(
        # A base folder of its own: a run would close the common one to the databases of other tests.
        [sys.executable, "-m", "pytest", *ARGUMENTS, "--basetemp", str(tmp_path / "own"), str(tmp_path)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    passed = FILES * 6 + len(OF_ENDING)
    assert run.returncode == 1
    assert f"{len(OF_ENDING)} failed, {passed} passed" in run.stdout, run.stdout
    for number in OF_ENDING:
        assert f"crashed while running 'test_file_{number:02}.py::test_ending'" in run.stdout
