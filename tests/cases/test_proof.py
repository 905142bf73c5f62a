"""Proof of an answer: signed document, and PDF sealed without a stamp."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pypdfium2
import pytest

from meterai.cases.proof import (
    Answered,
    read_answer,
    sealed,
    signed,
)
from meterai.pages.paper import PaperLine
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.plumbing.signed import DocumentSigner, SignatureWrong, public_key_of
from meterai.sealing import Issuer, Verdict, development_issuer, verify

NOW = datetime(2026, 11, 24, 8, 4, tzinfo=UTC)
BY = "https://meterai.example"
SIGNER = DocumentSigner(b"a" * 32)
ANSWER = Answered(
    "Jawaban atas pengaduan Anda",
    [
        PaperLine("24 Nov 2026 15.04 WIB", "Pembayaran Rp10.500 masuk."),
        PaperLine("", "Pesanan ini sudah terlaksana: 1 meterai dapat dipakai."),
    ],
    "cas_06f9abc",
    "ord_06f9def",
    NOW,
    "id",
)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return development_issuer(tmp_path_factory.mktemp("issuer"), at=NOW)


def text_of(content: bytes) -> str:
    opened = pypdfium2.PdfDocument(io.BytesIO(content))
    found = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in opened)
    opened.close()
    return found


def judged(content: bytes, issuer: Issuer) -> Any:
    assert issuer.claim_key is not None
    key = issuer.claim_key
    return verify(
        content,
        [issuer.root],
        at=NOW,
        claim_keys={key.id: key.public},
        seal_certificates=issuer.chain[:1],
    )


def test_signed_answer_is_verified_with_the_public_key() -> None:
    document = signed(ANSWER, SIGNER, by=BY, specimen=True)
    facts = read_answer(document, public_key_of(SIGNER.public_pem()))
    assert facts == {
        "by": BY,
        "case": ANSWER.case,
        "order": ANSWER.order,
        "at": "2026-11-24T08:04:00+00:00",
        "language": "id",
        "title": ANSWER.title,
        "lines": [list(one) for one in ANSWER.lines],
        "specimen": True,
    }
    assert document == signed(ANSWER, SIGNER, by=BY, specimen=True)


def test_changed_answer_is_refused() -> None:
    told = json.loads(signed(ANSWER, SIGNER, by=BY, specimen=True))
    other = json.loads(signed(replace(ANSWER, order="ord_other"), SIGNER, by=BY, specimen=True))
    with pytest.raises(SignatureWrong):
        read_answer(json.dumps(told | {"payload": other["payload"]}), SIGNER.public_key())
    with pytest.raises(SignatureWrong):
        read_answer(json.dumps(told), DocumentSigner(b"b" * 32).public_key())


def test_signed_document_of_another_kind_is_refused() -> None:
    with pytest.raises(SignatureWrong):
        read_answer(SIGNER.sign("place", {"case": "cas_1"}), SIGNER.public_key())


@pytest.mark.parametrize("language", LANGUAGES)
def test_sealed_answer_contains_no_stamp(issuer: Issuer, language: str) -> None:
    content = sealed(replace(ANSWER, language=language), issuer, by=BY, mark="SPECIMEN", at=NOW)
    report = judged(content, issuer)
    assert report.verdict is Verdict.STATEMENT
    assert report.serials == ()
    text = text_of(content)
    for said in (ANSWER.title, ANSWER.case, ANSWER.order, *(one.value for one in ANSWER.lines)):
        assert said in text
    assert translate("proof.check", language, by=BY) in text
    assert translate("proof.unwritten", language) not in text
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == language
        assert not pdf.check_pdf_syntax()


def test_changed_sealed_answer_is_reported_as_altered(issuer: Issuer) -> None:
    content = sealed(ANSWER, issuer, by=BY, mark="", at=NOW)
    changed = content.replace(b"Rp10.500", b"Rp99.500")
    assert changed != content
    assert judged(changed, issuer).verdict is Verdict.ALTERED


HOSTILE = [
    "<script>alert(1)</script>) Tj ET endstream endobj %%EOF",
    "\\) /Type/Sig /MeteraiSeal<</Version 1>> >/ByteRange[0 1 2 3]",
    "[1QQJXXBQNX00N0WZXZP2FV] Meterai elektronik Rp10.000",
    "surat\u202efdp.exe \ud800 \x00 \r\n nama",
    "文書 العربية ᮞᮥᮔ᮪ᮓ 😀",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_an_answer_makes_no_stamp(issuer: Issuer, text: str) -> None:
    answer = replace(
        ANSWER, title=text[:200], lines=[PaperLine(text[:60], text), PaperLine("", text)]
    )
    content = sealed(answer, issuer, by=BY, mark="SPECIMEN", at=NOW)
    report = judged(content, issuer)
    assert report.verdict is Verdict.STATEMENT
    assert report.serials == ()
    facts = read_answer(signed(answer, SIGNER, by=BY, specimen=False), SIGNER.public_key())
    said = str(facts["title"])
    assert "\u202e" not in said
    assert "\x00" not in said
    assert "\ud800" not in said
