"""Sealing: promises about the stamped file, checked by our verifier and by two others."""

import hashlib
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from meterai.kit.refusal import Refusal
from meterai.sealing import (
    Placement,
    Stamp,
    Verdict,
    development_issuer,
    inspect,
    seal,
    verify,
)


def pyhanko_status(document, root, at, number=-1):
    trusted = asn1_x509.Certificate.load(root.public_bytes(Encoding.DER))
    context = ValidationContext(trust_roots=[trusted], moment=at, allow_fetching=False)
    signature = PdfFileReader(io.BytesIO(document), strict=False).embedded_signatures[number]
    return signature, validate_pdf_signature(signature, context)


def test_original_is_kept_byte_for_byte(bench, plain):
    delta = bench.delta(plain)
    stamped = plain + delta.data
    assert delta.sha256_original == hashlib.sha256(plain).digest()
    assert delta.sha256_stamped == hashlib.sha256(stamped).digest()
    report = bench.verify(stamped)
    assert report.verdict is Verdict.GENUINE
    assert report.sealed_at == bench.at
    assert report.serials == tuple(map(str, delta.serials))
    assert report.sha256_original == delta.sha256_original
    assert report.sha256_sealed == delta.sha256_stamped
    assert all(check.passed for check in report.checks)


@pytest.mark.parametrize("algorithm", ["p256", "rsa2048"])
def test_pyhanko_finds_certified_pades_seal(plain, bench, tmp_path, algorithm):
    issuer = development_issuer(tmp_path / "issuer", algorithm=algorithm, at=bench.at)
    stamps = bench.stamps(Placement(1, 30, 30), Placement(-1, 30, 30))
    delta = seal(plain, stamps, issuer, at=bench.at, check_url=bench.check_url, specimen=True)
    signature, status = pyhanko_status(plain + delta.data, issuer.root, bench.at)
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert signature.docmdp_level is MDPPerm.FILL_FORMS
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.sig_object["/Name"] == "Meterai development Seal SPECIMEN"
    attributes = {item["type"].native for item in signature.signer_info["signed_attrs"]}
    assert attributes == {"content_type", "message_digest", "signing_certificate_v2"}
    assert len(signature.signed_data["certificates"]) == 3
    assert verify(plain + delta.data, [issuer.root], at=bench.at).verdict is Verdict.GENUINE


def test_poppler_accepts_seal(bench, plain, tmp_path):
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig is not on this machine")
    path = tmp_path / "stamped.pdf"
    path.write_bytes(bench.sealed(plain))
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


def test_reason_field_and_annotations_name_every_serial(bench, plain):
    first, second = serials = [bench.serial(), bench.serial()]
    stamps = [Stamp(first, Placement(1, 9, 9)), Stamp(second, Placement(2, 9, 9))]
    delta = seal(plain, stamps, bench.issuer, at=bench.at, check_url=bench.check_url, specimen=True)
    reader = PdfFileReader(io.BytesIO(plain + delta.data))
    (signature,) = reader.embedded_signatures
    assert signature.field_name == f"Meterai_{first}"
    assert re.findall(r"\[(\w{22})\]", signature.sig_object["/Reason"]) == [*map(str, serials)]
    (annotation,) = reader.root["/Pages"]["/Kids"][1]["/Annots"]
    annotation = annotation.get_object()
    assert annotation["/NM"] == f"Meterai_{second}"
    assert annotation["/F"] & 0b1010000100 == 0b1010000100  # printed, locked, contents too


@pytest.mark.parametrize("objstm", [False, True])
def test_twenty_stamps_fit_under_one_seal(bench, make_pdf, objstm):
    original = make_pdf(pages=4, objstm=objstm)
    placements = [Placement(1 + n % 4, 20 + 70 * (n // 4), 500, 65) for n in range(20)]
    stamped = bench.sealed(original, *placements)
    assert stamped.count(b"/ByteRange") == 1
    report = bench.verify(stamped)
    assert report.verdict is Verdict.GENUINE
    assert len(report.serials) == 20


def test_stamped_document_can_be_stamped_again(bench, plain):
    once = bench.delta(plain)
    twice = bench.delta(plain + once.data, Placement(2, 200, 200), Placement(1, 300, 300))
    document = plain + once.data + twice.data
    report = bench.verify(document)
    assert report.verdict is Verdict.GENUINE
    assert report.serials == tuple(map(str, once.serials + twice.serials))
    assert report.sha256_original == once.sha256_stamped
    # Its first seal stays valid for others too, and covers the same bytes.
    _, status = pyhanko_status(document, bench.issuer.root, bench.at, 0)
    assert status.intact
    assert status.valid


def test_inspect_reports_pages_and_visible_sizes(make_pdf):
    original = make_pdf(pages=3, size=(400, 500), Rotate=90)
    found = inspect(original, [Placement(-1, 0, 0), Placement(1, 0, 0)])
    assert found.pages == 3
    assert found.signatures == 0
    assert [(size.page, size.width, size.height) for size in found.sizes] == [
        (3, 500, 400),
        (1, 500, 400),
    ]


def test_earlier_signatures_stay_valid(bench, corpus, say):
    """The verdict of pyHanko on earlier signatures is the same after stamping."""
    compared = 0
    for path in corpus("signed"):
        before = _integrity(path)
        if not before:
            continue
        try:
            stamped = bench.sealed(path.read_bytes(), Placement(1, 10, 10, 65))
        except Refusal:
            continue
        after = _integrity(io.BytesIO(stamped))
        assert after[: len(before)] == before, path.name
        compared += 1
    say(f"{compared} signed documents compared before and after")
    assert compared >= 10


def _integrity(source) -> list[tuple[str, bool, bool]]:
    """Name, validity of digest and of signature, of every signature that pyHanko can read."""
    stream = io.BytesIO(source.read_bytes()) if isinstance(source, Path) else source
    found = []
    try:
        for signature in PdfFileReader(stream, strict=False).embedded_regular_signatures:
            signature.compute_integrity_info(skip_diff=True)
            context = ValidationContext(trust_roots=[], allow_fetching=False)
            status = validate_pdf_signature(signature, context, skip_diff=True)
            found.append((signature.field_name, status.intact, status.valid))
    except Exception:
        return []
    return found
