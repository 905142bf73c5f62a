"""Statements of duty and the extracts they are counted from."""

import subprocess
import sys
from pathlib import Path

import pytest

from meterai.regulator.extracts import ExtractWrong, check_folder
from meterai.regulator.model import MonthState
from meterai.plumbing.signed import public_key_of
from tests.regulator.conftest import Office

SCRIPT = Path(__file__).parents[2] / "docs" / "regulator" / "verify_statement.py"


def told(office: Office, back: int) -> dict[str, tuple[int, int]]:
    found = office.statement(office.month(back))
    figures = {one.name: (one.stamps, one.rupiah) for one in found.figures}
    lines = {one.name: (one.stamps, one.rupiah) for one in found.lines}
    return lines | figures


def test_statement_counts_what_was_done(office: Office) -> None:
    office.lives()
    found = told(office, 0)
    # 5 of quota, 3 taken back, 3 of documents; the one that failed was never sold.
    assert found["sold"] == (11, 110_000)
    assert found["affixed"] == (5, 50_000)
    assert found["refunded"] == (3, 30_000)
    assert found["charged_back"] == (3, 30_000)
    assert found["due"] == (5, 50_000)
    assert found["opening"] == (0, 0)
    assert found["closing"] == (0, 50_000)
    assert "other" not in found
    assert office.statement(office.month()).state is MonthState.RUNNING


def test_strangers_script_computes_every_figure(office: Office, tmp_path: Path) -> None:
    before, month = office.month(2), office.month(1)
    office.lives()
    office.ago(office.days_back_to(before))
    office.lives()
    office.ago(office.days_back_to(month))
    office.shop.pay(office.shop.place(1))
    office.shop.work()
    office.ago(office.days_back_to(month, 20))
    assert office.make_all() > 30
    key = office.write(tmp_path)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(key), str(tmp_path), str(month)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    computed = {
        name: tuple(map(int, numbers))
        for name, *numbers in map(str.split, done.stdout.splitlines())
        if name != "facts"
    }
    shown = told(office, 1)
    assert computed == shown
    assert computed["opening"] == (0, 50_000)
    assert computed["sold"] == (12, 120_000)
