"""The golden files: one for each verdict and each attack, made once by `scripts/golden.py`."""

import tomllib
from pathlib import Path

import pytest
from cryptography import x509

from meterai.sealing import Verdict, claim, verify
from tests.sealing.conftest import AT
from tests.support.attacks import ATTACKS, HONEST, VARIANTS
from tests.support.attacks import GOLDEN as CASES

GOLDEN = Path(__file__).parent / "golden"
MANIFEST = tomllib.loads((GOLDEN / "manifest.toml").read_text())


@pytest.mark.parametrize("name", MANIFEST)
def test_a_golden_file_gets_its_verdict(name):
    root = x509.load_pem_x509_certificate((GOLDEN / "root.pem").read_bytes())
    keys = claim.load_public_keys([GOLDEN / "claim.pem"])
    document = (GOLDEN / f"{name}.pdf").read_bytes()
    report = verify(document, [root], at=AT, claim_keys=keys)
    failed = [check.name for check in report.checks if not check.passed]
    assert report.verdict.value == MANIFEST[name]["verdict"]
    assert failed == MANIFEST[name]["failed"]


def test_the_folder_holds_every_case_and_no_other():
    assert set(MANIFEST) == set(CASES)
    assert set(ATTACKS) | set(HONEST) >= VARIANTS
    assert {path.stem for path in GOLDEN.glob("*.pdf")} == set(MANIFEST)


def test_there_is_a_file_for_every_verdict():
    assert {one["verdict"] for one in MANIFEST.values()} == {verdict.value for verdict in Verdict}


def test_no_attack_is_genuine():
    good = {"genuine", "genuine_then_signed"}
    genuine = {name for name, one in MANIFEST.items() if one["verdict"] in good}
    assert genuine == {name for name, case in CASES.items() if case.verdict in good}
    assert genuine <= set(HONEST)
