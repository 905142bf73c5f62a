"""What checking says, in words and as places on a page."""

from datetime import UTC, datetime

import pytest

from meterai.kit.serial import Serial
from meterai.kit.text import QUOTED_LENGTH_MAX, isolated, quoted
from meterai.plumbing.messages import LANGUAGES, catalogue
from meterai.sealing import Check, Report, Verdict
from meterai.verification import ClaimVerdict, FinalVerdict, PlaceView, sentence
from meterai.verification.service import Examination, Quote, shown
from tests.support.shown import SERIAL

COVERED = Check(
    "uncovered",
    passed=False,
    facts={"page": 2, "x": 72.004, "y": 36.0, "width": 144.0, "height": 70.87},
)


def test_every_verdict_of_sealing_is_a_final_one() -> None:
    for verdict in Verdict:
        assert FinalVerdict(verdict.value).value == verdict.value


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_covered_is_said_in_millimetres(language: str) -> None:
    text = sentence(COVERED, language)
    for figure in ("2", "51", "25 mm", "13 mm"):
        assert figure in text
    assert "{" not in text


def test_what_is_covered_has_a_place_in_points() -> None:
    report = Report(
        Verdict.COVERED_AFTER_SEALING, ("S",), (Check("readable", passed=True), COVERED)
    )
    of = Examination(
        bytes(32), 4, datetime(2026, 11, 24, tzinfo=UTC), "https://m", is_specimen=True
    )
    view = shown(report, report.verdict, report.checks, "en", of)
    assert view.verdict == "covered_after_sealing"
    assert [one.place for one in view.checks] == [None, PlaceView(2, 72.0, 36.0, 144.0, 70.87)]


def test_every_verdict_about_a_claim_is_explained() -> None:
    for verdict in ClaimVerdict:
        assert f"claim.{verdict}" in catalogue()
        assert f"claim.{verdict}.explained" in catalogue()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code",
    ["not_a_pdf", "document_encrypted", "document_too_large", "encrypted_without_identifier"],
)
def test_why_a_document_cannot_be_read_is_told_in_words(code: str, language: str) -> None:
    text = sentence(Check("readable", passed=False, facts={"reason": code}), language)
    assert "_" not in text
    assert "{" not in text


FORGED = "Penerbit\u202e resmi\n" + "\u05d0" * 200  # a name that a forger chose


def test_what_somebody_wrote_into_a_file_is_quoted() -> None:
    check = Check("issuer", passed=False, facts={"signer": FORGED})
    for language in LANGUAGES:
        text = sentence(check, language)
        assert "Penerbit resmi" in text
        assert not {"\n", "\u202e"} & set(text)
        assert text.count("\u05d0") < QUOTED_LENGTH_MAX
        assert isolated(FORGED) in sentence(check, language, isolated)
        # Of two pages all serials are told, however long.
        many = ", ".join([SERIAL] * 9)
        told = sentence(Check("serials", passed=True, facts={"serials": many}), language)
        assert ", ".join([Serial(SERIAL).grouped()] * 9) in told


@pytest.mark.parametrize("quote", [quoted, isolated])
def test_a_serial_is_told_in_groups_as_it_stands_on_the_stamp(quote: Quote) -> None:
    for name, given in (("register", "serial"), ("serials", "serials")):
        check = Check(name, passed=False, facts={given: SERIAL})
        assert Serial(SERIAL).grouped() in sentence(check, "id", quote)
