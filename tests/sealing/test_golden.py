"""The golden files: one for each verdict, five or more for each family, made by `scripts/golden.py`."""

import pytest
from cryptography import x509

from meterai.sealing import Verdict, claim, verify
from tests.sealing.conftest import AT
from tests.support.attacks import ATTACKS, FAMILIES, HONEST
from tests.support.attacks import GOLDEN as CASES
from tests.support.golden import GOLDEN, PACKED, PLAIN, document, manifest

MANIFEST = manifest()


@pytest.mark.parametrize("name", MANIFEST)
def test_a_golden_file_gets_its_verdict(name):
    root = x509.load_pem_x509_certificate((GOLDEN / "root.pem").read_bytes())
    keys = claim.load_public_keys([GOLDEN / "claim.pem"])
    report = verify(document(name), [root], at=AT, claim_keys=keys)
    failed = [check.name for check in report.checks if not check.passed]
    assert report.verdict.value == MANIFEST[name]["verdict"]
    assert failed == MANIFEST[name]["failed"]


def test_the_folder_holds_every_case_and_no_other():
    assert set(MANIFEST) == set(CASES)
    attacks = {path.stem for path in GOLDEN.glob(f"*{PACKED}")}
    assert {path.stem for path in GOLDEN.glob(f"*{PLAIN}")} == set(HONEST)
    assert attacks == set(MANIFEST) - set(HONEST)


def test_each_family_has_five_files_or_more():
    for family, names in FAMILIES.items():
        assert len(set(names)) == len(names) >= 5, family
        assert set(names) <= set(MANIFEST), family
        assert set(names) & set(ATTACKS), family


def test_there_is_a_file_for_every_verdict():
    assert {one["verdict"] for one in MANIFEST.values()} == {verdict.value for verdict in Verdict}


def test_no_attack_is_genuine():
    good = {"genuine", "genuine_then_signed"}
    genuine = {name for name, one in MANIFEST.items() if one["verdict"] in good}
    assert genuine == {name for name, case in CASES.items() if case.verdict in good}
    assert genuine <= set(HONEST)
