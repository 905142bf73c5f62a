"""The tests that a run selects."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import ROOT

CHOOSING = """
from tests.support.runs import select
def pytest_addoption(parser):
    parser.addoption("--all", action="store_true")
    parser.addoption("--seed", type=int)
def pytest_collection_modifyitems(config, items):
    select(config, items)
"""
CASES = """
import pytest
@pytest.mark.variant
def test_variant(): ...
@pytest.mark.soak
def test_soak(): ...
@pytest.mark.sample(3)
@pytest.mark.parametrize("number", range(20))
def test_family(number): ...
def test_plain(): ...
"""


QUIETLY = ("-q", "--collect-only", "-c", os.devnull, "-p", "no:cacheprovider", "-p", "no:xdist")


@pytest.fixture
def taken(tmp_path: Path) -> Callable[..., list[str]]:
    """The tests of `CASES` that a run selects."""
    (tmp_path / "conftest.py").write_text(CHOOSING)
    (tmp_path / "test_cases.py").write_text(CASES)

    def collect(*arguments: str, of: str = "") -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *QUIETLY, *arguments, f"{tmp_path}{of}"],
            cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]

    return collect


def test_run_leaves_out_variants_and_soaks_and_samples_families(taken) -> None:
    found = taken("--seed", "1")
    assert len(found) == 4
    assert found[-1] == "test_plain"
    assert {name.partition("[")[0] for name in found} == {"test_family", "test_plain"}


def test_sample_follows_the_seed(taken) -> None:
    assert taken("--seed", "1") == taken("--seed", "1")
    assert taken("--seed", "1") != taken("--seed", "2")


def test_all_option_and_named_tests_are_selected(taken) -> None:
    assert len(taken("--all")) == 23
    assert taken("--seed", "1", of="/test_cases.py::test_soak") == ["test_soak"]
