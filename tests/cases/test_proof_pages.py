"""Proofs of answers: a download verifies offline, and has the answer of the page."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from meterai.cases import Matter
from meterai.cases.proof import read_answer
from meterai.cases.proof_pages import Proofs, answered
from meterai.cases.words import answer_text
from meterai.plumbing.messages import LANGUAGES
from meterai.sealing import Issuers, Verdict, verify_own
from tests.cases.desk import Desk
from tests.cases.test_proof import text_of
from tests.support.commands import run_here


def proofs(desk: Desk) -> Proofs:
    return desk.shop.container.of(Proofs)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sealed_answer_has_the_text_of_the_page(desk: Desk, language: str) -> None:
    found = desk.told(desk.complain(Matter.PAID_NOT_EXECUTED, desk.executed()))
    answer = answer_text(found.case, language)
    assert answer is not None
    content = desk.shop.do(proofs(desk).sealed(answered(found, language)))
    text = text_of(content)
    assert " ".join(answer.sentence.split()) in text
    assert found.case.about in text
    issuers = desk.shop.container.of(Issuers)
    report = verify_own(content, issuers, at=datetime.now(UTC))
    assert report.verdict is Verdict.STATEMENT
    assert report.serials == ()


def test_signed_answer_is_checked_by_command_with_the_published_key(
    desk: Desk, tmp_path: Path
) -> None:
    found = desk.told(desk.complain(Matter.PAID_NOT_EXECUTED, desk.executed()))
    file, key = tmp_path / "jawaban.json", tmp_path / "key.pem"
    file.write_bytes(proofs(desk).signed(answered(found, "id")))
    key.write_bytes(proofs(desk).signer.public_pem())
    facts = read_answer(file.read_bytes(), proofs(desk).signer.public_key())
    assert facts["order"] == found.case.about
    done = run_here(tmp_path, "cases", "check-answer", str(file), "--key", str(key))
    assert done.returncode == 0, done.stderr
    assert found.case.about in done.stdout
    file.write_bytes(file.read_bytes().replace(b'"payload": "ey', b'"payload": "eY'))
    assert run_here(tmp_path, "cases", "check-answer", str(file), "--key", str(key)).returncode
