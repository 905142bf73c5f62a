"""Statements of the operator: sealed by the key of the stamps, and never taken for a stamp."""

import io

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from meterai.sealing import Placement, Verdict, seal_statement
from meterai.sealing.checking.checks import ALWAYS_MADE, SOMETIMES_MADE
from meterai.sealing.checking.questions import read_report, written_report
from meterai.sealing.sandbox.answers import NotAnswered
from meterai.sealing.stamp.identifiers import FIELD_PREFIX, SEAL_KEY, STATEMENT_KEY
from meterai.sealing.writing import affixing, engine
from tests.support.attacks.lab import Lab


@pytest.fixture
def stated(lab: Lab) -> bytes:
    """A letter, sealed as a statement."""
    return lab.original + seal_statement(lab.original, lab.issuer, at=lab.at).data


def test_statement_has_verdict_statement(lab: Lab, stated: bytes) -> None:
    report = lab.verify(stated)
    assert report.verdict is Verdict.STATEMENT
    assert not report.verdict.is_good
    assert (report.serials, report.originals, report.sealed_bytes) == ((), (), None)
    assert report.sealed_at == lab.at
    assert {one.name for one in report.checks} >= {"issuer", "seal", "integrity", "no_stamp"}
    assert all(one.passed for one in report.checks)
    assert not report.is_spoilt


def test_changed_statement_is_altered(lab: Lab, stated: bytes) -> None:
    at = stated.index(b"Tj")
    changed = stated[: at - 4] + b"X" + stated[at - 3 :]
    assert lab.verify(changed).verdict is Verdict.ALTERED


def test_statement_with_appended_bytes_is_altered(lab: Lab, stated: bytes) -> None:
    appended = IncrementalPdfFileWriter(io.BytesIO(stated), strict=False)
    appended.root["/Note"] = appended.add_object(appended.root["/Pages"].get_object())
    appended.update_root()
    out = io.BytesIO()
    appended.write(out)
    report = lab.verify(out.getvalue())
    assert report.verdict is Verdict.ALTERED
    assert not report.is_spoilt  # the seal itself holds
    assert lab.verify(stated + b"\n% more\n").verdict is Verdict.ALTERED


def test_statement_with_a_drawn_stamp_signed_by_a_stranger_is_no_stamp(
    lab: Lab, stated: bytes
) -> None:
    serial = lab.serial()
    name = f"{FIELD_PREFIX}{serial}"
    meta = signers.PdfSignatureMetadata(field_name=name, reason=f"[{serial}] Meterai elektronik")
    place = fields.SigFieldSpec(name, box=(20, 20, 90, 130))
    out = signers.PdfSigner(meta, lab.stranger, new_field_spec=place).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(stated), strict=False)
    )
    assert not lab.verify(out.getvalue()).verdict.is_good


def test_stamp_sealed_under_a_record_of_a_statement_is_forged(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the holder of the key can do this: the rules of a statement refuse a stamp.
    monkeypatch.setattr(affixing, "SEAL_KEY", STATEMENT_KEY)
    report = lab.verify(lab.seal(lab.original))
    assert report.verdict is Verdict.FORGED
    assert [one.name for one in report.checks if not one.passed] == ["no_stamp"]


def test_statement_sealed_under_a_record_of_a_stamp_is_forged(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(affixing, "STATEMENT_KEY", SEAL_KEY)
    delta = engine.seal_statement(lab.original, lab.issuer, at=lab.at)
    assert lab.verify(lab.original + delta.data).verdict is Verdict.FORGED


def test_stamped_statement_is_a_stamped_document(lab: Lab, stated: bytes) -> None:
    assert lab.taken_in(stated) is Verdict.STATEMENT
    stamped = lab.seal(stated, Placement(1, 200, 20, 65))
    report = lab.verify(stamped)
    assert report.verdict is Verdict.GENUINE
    assert len(report.serials) == 1
    assert not report.is_spoilt


def test_task_report_that_calls_stamp_a_statement_is_refused(lab: Lab, stated: bytes) -> None:
    good = written_report(lab.verify(stated))
    assert read_report(good, ALWAYS_MADE, SOMETIMES_MADE, len(stated)).verdict.holds
    good.serials.append(str(lab.serial()))
    with pytest.raises(NotAnswered):
        read_report(good, ALWAYS_MADE, SOMETIMES_MADE, len(stated))
