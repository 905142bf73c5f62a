"""Files sealed by a released version stay genuine; files from before the versions are named so."""

from datetime import timedelta

import pytest

from meterai.sealing import Verdict
from meterai.sealing.checking.questions import CheckQuestion
from meterai.sealing.checking.verification import verifying
from meterai.sealing.sandbox.bounded import finish
from tests.support.releases import RELEASES, manifest, names, question_about, verified

BEFORE = "before"
YEARS = timedelta(days=3_650)


@pytest.mark.parametrize(("folder", "name"), names())
def test_file_keeps_its_verdict(folder, name):
    expected = manifest(RELEASES / folder)[name]
    report = verified(RELEASES / folder, name)
    assert report.verdict.value == expected["verdict"]
    assert list(report.serials) == expected["serials"]
    assert (report.verdict is Verdict.UNKNOWN_VERSION) == (folder == BEFORE)


@pytest.mark.parametrize(("folder", "name"), [one for one in names() if one[0] != BEFORE])
def test_file_of_release_is_genuine_after_certificates_expired(folder, name):
    now = question_about(RELEASES / folder, name)
    later = CheckQuestion(
        now.document,
        now.trusted_roots,
        now.at + YEARS,
        now.claim_keys,
        now.time_stamp_roots,
        now.password,
    )
    assert finish(verifying(later)).verdict is Verdict.GENUINE


@pytest.mark.parametrize(("folder", "name"), [one for one in names() if one[0] == BEFORE])
def test_changed_file_from_before_versions_is_altered(folder, name):
    question = question_about(RELEASES / folder, name)
    changed = question.document.replace(b"/MediaBox", b"/MediaBos", 1)
    assert changed != question.document
    asked = CheckQuestion(changed, question.trusted_roots, question.at, question.claim_keys)
    assert finish(verifying(asked)).verdict is Verdict.ALTERED
