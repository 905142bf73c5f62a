"""What is no attack: seals, seals of sealed documents, later signatures on empty paper, proofs."""

import io

import pikepdf
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from meterai.sealing import Placement, development_issuer
from tests.support.attacks.endless import shared_arrays
from tests.support.attacks.lab import AT, EMPTY_PAPER, Attack, Lab
from tests.support.attacks.updates import proofs_and, with_proofs
from tests.support.pdfmaker import letter, whole


def _genuine(make: object) -> Attack:
    return Attack(make, "genuine")  # type: ignore[arg-type]


def _then_signed(make: object) -> Attack:
    return Attack(make, "genuine_then_signed")  # type: ignore[arg-type]


def _encrypted(lab: Lab) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.original)) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="rahasia", user=""))
    return lab.seal(out.getvalue())


def _time_stamped(lab: Lab) -> bytes:
    keys = lab.directory / "authority"
    development_issuer(keys, algorithm="rsa2048", at=AT)
    authority = signers.SimpleSigner.load(str(keys / "seal.key"), str(keys / "seal.pem"))
    stamper = DummyTimeStamper(
        authority.signing_cert, authority.signing_key, certs_to_embed=SimpleCertificateStore()
    )
    out = signers.PdfTimeStamper(stamper).timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(lab.sealed)), "sha256"
    )
    return bytes(out.getvalue())


def _signed_first(lab: Lab) -> bytes:
    return lab.seal(lab.signed(lab.original), Placement(1, 20, 20, 65), Placement(2, 20, 20, 65))


def _signed_with_rsa(lab: Lab) -> bytes:
    """Two later signatures with other keys, digests and paddings than ours."""
    document = lab.sealed
    for name, is_pss in (("Satu", False), ("Dua", True)):
        key = rsa.generate_private_key(65537, 2048)
        signer = lab.signer_with(key, prefer_pss=is_pss)
        document = lab.signed(document, name, signer=signer, digest="sha512")
    return document


def _upon_a_broken_signature(lab: Lab) -> bytes:
    """Somebody's spoilt signature is below our seal, and an honest one above it."""
    signed = lab.signed(lab.original, "Rusak")
    start = signed.rindex(b"/Contents <") + len(b"/Contents <")
    end = signed.index(b">", start)
    spoilt = signed[:start] + b"0" * (end - start) + signed[end:]
    return lab.signed(lab.seal(spoilt))


CASES: dict[str, Attack] = {
    "genuine": _genuine(lambda lab: lab.sealed),
    "genuine-stream": _genuine(
        lambda lab: lab.sealed_of(letter(2), style="stream", packed=[1, 2, 3, 4])
    ),
    "genuine-hybrid": _genuine(lambda lab: lab.sealed_of(letter(2), style="hybrid", packed=[3, 6])),
    "genuine-encrypted": _genuine(_encrypted),
    "genuine-two-stamps": _genuine(
        lambda lab: lab.seal(lab.original, Placement(1, 20, 20, 65), Placement(2, 20, 20, 65))
    ),
    "genuine-sealed-twice": _genuine(lambda lab: lab.seal(lab.sealed, Placement(2, 20, 20, 65))),
    "genuine-signed-first": _genuine(_signed_first),
    "genuine-signed-later": _then_signed(lambda lab: lab.signed(lab.sealed)),
    "genuine-signed-later-on-empty-paper": _then_signed(
        lambda lab: lab.signed(lab.sealed, on_page=0, box=EMPTY_PAPER)
    ),
    "genuine-signed-later-with-shared-arrays": _then_signed(
        lambda lab: lab.signed(lab.sealed_of(shared_arrays()), on_page=0, box=EMPTY_PAPER)
    ),
    "genuine-time-stamped": _genuine(_time_stamped),
    "genuine-with-proofs-by-a-library": _genuine(proofs_and(lambda _: None)),
    "genuine-signed-later-with-rsa": _then_signed(_signed_with_rsa),
    "genuine-upon-a-broken-signature": _then_signed(_upon_a_broken_signature),
    "genuine-with-proofs": _genuine(lambda lab: with_proofs(lab, lab.sealed, {})),
    "foreign": Attack(lambda lab: lab.signed(lab.original), "foreign_seal"),
    "without-a-seal": Attack(lambda lab: lab.original, "not_sealed"),
    "not-a-pdf": Attack(lambda lab: whole(letter())[9:], "unreadable"),
}
