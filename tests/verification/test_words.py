"""Sentences of a check, and the parts of a file in a report."""

from datetime import UTC, datetime

import pytest

from meterai.kit.serial import Serial
from meterai.kit.text import QUOTED_LENGTH_MAX, isolated
from meterai.plumbing.messages import LANGUAGES
from meterai.sealing import Check, CheckReport, Verdict
from meterai.sealing.model import EarlierSeal, LaterSignature
from meterai.verification import (
    EarlierView,
    FinalVerdict,
    LaterSignatureView,
    SealedView,
    sentence,
)
from meterai.verification.model import GOOD
from meterai.verification.service import CheckReceipt, shown
from tests.support.shown import SERIAL

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("verdict", FinalVerdict)
def test_parts_of_file_are_reported_for_good_verdicts_alone(verdict: FinalVerdict) -> None:
    earlier = EarlierSeal(50, NOW, ("E",))
    report = CheckReport(
        Verdict.GENUINE_THEN_EXTENDED,
        ("S",),
        sealed_at=NOW,
        sealed_bytes=90,
        sha256_sealed=bytes(32),
        earlier=(earlier,),
        later=(LaterSignature("Budi\u202e", None),),
    )
    of = CheckReceipt(bytes(32), 100, NOW, "https://m", is_specimen=True)
    view = shown(report, verdict, report.checks, "en", of)
    if verdict not in GOOD:
        assert (view.sealed, view.later_bytes) == (None, None)
        assert not view.earlier + view.later_signatures
        return
    assert view.sealed == SealedView(bytes=90, sha256="00" * 32, sealed_at=NOW, serials=["S"])
    assert view.later_bytes == 10
    assert view.earlier == [EarlierView(bytes=50, sealed_at=NOW, serials=["E"])]
    assert view.later_signatures == [LaterSignatureView("Budi", None)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code",
    ["not_a_pdf", "document_encrypted", "document_too_large", "encrypted_without_identifier"],
)
def test_unreadable_document_has_reason_in_words(code: str, language: str) -> None:
    text = sentence(Check("readable", passed=False, facts={"reason": code}), language)
    assert "_" not in text
    assert "{" not in text


FORGED = "Penerbit\u202e resmi\n" + "\u05d0" * 200  # a hostile name


def test_text_from_file_is_quoted() -> None:
    check = Check("issuer", passed=False, facts={"signer": FORGED})
    for language in LANGUAGES:
        text = sentence(check, language)
        assert "Penerbit resmi" in text
        assert not {"\n", "\u202e"} & set(text)
        assert text.count("\u05d0") < QUOTED_LENGTH_MAX
        assert isolated(FORGED) in sentence(check, language, isolated)
        # All serials of two pages are shown.
        many = ", ".join([SERIAL] * 9)
        told = sentence(Check("serials", passed=True, facts={"serials": many}), language)
        assert ", ".join([Serial(SERIAL).grouped()] * 9) in told
