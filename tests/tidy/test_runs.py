"""The tests that a run selects, and the reaction of `.ci/run` to a failed run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import again
from tests.support.commands import ROOT
from tests.support.runs import OF_BOOKS, seed_of_the_commit

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


def test_seed_follows_the_commit() -> None:
    assert seed_of_the_commit() == seed_of_the_commit()


NAME = "tests/flows/test_x.py::test_y"
FAILED = {"status": 1, "failed": {NAME: False}}


@pytest.mark.parametrize(
    ("record", "may"),
    [
        (FAILED, True),
        (FAILED | {"failed": {f"{NAME}[{n}]": False for n in range(6)}}, False),
        (FAILED | {"failed": {NAME: False, "tests/audit/test_facts.py::test_z": True}}, False),
        (FAILED | {"failed": {}}, False),
        (FAILED | {"status": 2}, False),
    ],
)
def test_few_failures_outside_the_books_are_repeated(record, may: bool) -> None:
    assert again.may_run_again(record) == may


@pytest.mark.parametrize(
    ("text", "is_of_books"),
    [
        (NAME, False),
        ("tests/audit/test_facts.py::test_z", True),
        ("tests/kit/test_serial.py::test_z", True),
        (f"{NAME}\n>   instance.assert_audit_holds()", True),
        (f"{NAME}\n>   open_one.assert_books_hold()", True),
        (f"{NAME}\n    instance.assert_audit_holds()\n>   assert serials == []", False),
    ],
)
def test_failure_of_the_books_is_known_by_its_name_or_text(text: str, is_of_books) -> None:
    assert bool(OF_BOOKS.search(text)) == is_of_books


@pytest.mark.parametrize(
    ("statuses", "known", "ends"),
    [((0,), "", 0), ((2, 0), "", 0), ((2, 1), "", 1), ((2, 0), NAME, 1)],
    ids=["passes", "flaky", "fails", "flaky again"],
)
def test_flaky_test_is_reported_and_a_known_one_fails_the_run(
    tmp_path: Path, monkeypatch, capsys, statuses: tuple[int, ...], known: str, ends: int
) -> None:
    (tmp_path / "flaky.txt").write_text(f"# names\n{known}\n")
    monkeypatch.setattr(again, "RECORDS", tmp_path / "records")
    monkeypatch.setattr(again, "KNOWN", tmp_path / "flaky.txt")
    left = list(statuses)

    def told(output: Path, *command: str) -> int:
        if command[0] == "make":
            (output.parent / "1.json").write_text(json.dumps(FAILED | {"seed": 4}))
            output.write_text("...\n=== 1 failed, 7 passed in 3 s ===\nmake: *** [test] Error 1\n")
        return left.pop(0)

    monkeypatch.setattr(again, "told", told)
    assert again.main() == ends
    assert left == []
    assert (f"FLAKY {NAME}" in capsys.readouterr().out) == (statuses == (2, 0))
