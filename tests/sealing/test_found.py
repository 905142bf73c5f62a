"""Real files that once revealed faults, stored beside the repository, with the expected outcome of each."""

import time

import pytest

from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, Verdict, ingest, inspect
from tests.support.yardstick import slowness

PLACES = [Placement(1, 36, 36, 80)]
# Neither PDFium nor qpdf can open the two without pages; the one with an encrypted attachment is
# broken besides, and repair would lose the attachment.
REFUSED = {
    "dss__pdf-eof.pdf": "signature_range_malformed",
    "pdf-reader__gh-228.pdf": "document_broken",
    "pdf__encrypted-attachment.pdf": "document_encrypted",
    "pdfminer__encrypted_doc_no_id.pdf": "encrypted_without_identifier",
    "pikepdf__newline-buffer-test.pdf": "no_pages",
}
REPAIRED = {"pdf-reader__kids-as-direct-objects.pdf", "qpdf__direct-pages.pdf"}
# The comparison of a later signature on this file took 82 seconds.
CPU_SECONDS_MAX = 1.0  # of our own process; longer work is done in a task


@pytest.fixture(scope="module")
def found(corpus):
    return {path.name: path.read_bytes() for path in corpus("found")}


def test_each_found_file_has_expected_outcome(found):
    said, repaired = {}, set()
    for name, document in found.items():
        try:
            if ingest(document, PLACES).is_repaired:
                repaired.add(name)
        except Refusal as refusal:
            said[name] = refusal.code
    assert said == REFUSED
    assert repaired == REPAIRED
    assert len(found) == 12


def test_encrypted_file_without_identifier_is_refused_before_payment(lab, found):
    document = found["pdfminer__encrypted_doc_no_id.pdf"]
    for work in (lambda: inspect(document, PLACES), lambda: lab.seal(document)):
        with pytest.raises(Refusal) as refused:
            work()
        assert refused.value.code == "encrypted_without_identifier"


def test_sealed_found_file_is_genuine_and_answered_after_later_signature(lab, found):
    verdicts = {}
    for name in set(found) - set(REFUSED):
        sealed = lab.seal(ingest(found[name], PLACES).document, *PLACES)
        assert lab.verify(sealed).verdict is Verdict.GENUINE, name
        signed = lab.signed(sealed)
        begin = time.process_time()
        verdicts[name] = lab.verify(signed).verdict
        assert time.process_time() - begin < CPU_SECONDS_MAX * slowness(), name
    assert set(verdicts.values()) == {Verdict.GENUINE_THEN_EXTENDED}
