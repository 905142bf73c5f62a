"""Repair: a broken unsigned document is repaired and marked, a signed one is refused."""

import io
import re

import pikepdf
import pytest

from meterai.sealing import (
    DocumentBroken,
    DocumentTooLarge,
    Placement,
    Verdict,
    ingest,
)
from meterai.sealing.model import DOCUMENT_BYTES_MAX
from tests.support.pdfmaker import letter, whole

PLACES = [Placement(1, 20, 20, 65)]
DOCUMENT = whole(letter(2))

BROKEN = {
    "pointer-misses": re.sub(rb"startxref\n\d+", b"startxref\n7", DOCUMENT),
    "rows-miss": re.sub(rb"00000000(\d\d) 00000 n", rb"00000001\1 00000 n", DOCUMENT),
    "rows-of-19-bytes": DOCUMENT.replace(b" 00000 n \n", b" 00000 n\n"),
    "tail-missing": DOCUMENT[: DOCUMENT.rindex(b"startxref")],
    "trailer-missing": DOCUMENT[: DOCUMENT.rindex(b"trailer")],
    "junk-first": b"From: mail@contoh.id\n\n" + DOCUMENT,
    "junk-last": DOCUMENT + b"</html>",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_document_is_repaired_and_marked(lab, name):
    prepared = ingest(BROKEN[name], PLACES)
    assert prepared.is_repaired
    assert prepared.inspection.pages == 2
    assert lab.verify(lab.seal(prepared.document, *PLACES)).verdict is Verdict.GENUINE
    with pikepdf.open(io.BytesIO(prepared.document)) as opened:
        assert b"Surat Pernyataan" in opened.pages[0].Contents.read_bytes()


def test_intact_document_is_unchanged():
    prepared = ingest(DOCUMENT, PLACES)
    assert prepared.document is DOCUMENT
    assert not prepared.is_repaired


def test_broken_signed_document_is_refused(lab):
    signed = lab.signed(lab.original)
    with pytest.raises(DocumentBroken):
        ingest(re.sub(rb"startxref\n\d+", b"startxref\n7", signed), PLACES)
    with pytest.raises(DocumentBroken):
        ingest(b"junk\n" + lab.sealed[:-9], PLACES)


def test_repaired_document_is_refused_like_intact_one():
    with pytest.raises(DocumentTooLarge):
        ingest(b"%PDF-1.7\n" + bytes(DOCUMENT_BYTES_MAX), PLACES)
    with pytest.raises(DocumentBroken):
        ingest(b"%PDF-1.7\nnothing at all", PLACES)
