"""Attacks of somebody who makes seals himself, or has us seal what he prepared."""

import io

import pikepdf
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers

from meterai.sealing import Placement
from tests.support.attacks.lab import Attack, Lab, changed, forged
from tests.support.pdfmaker import letter, update, whole


def _self_made(lab: Lab) -> bytes:
    return lab.seal(lab.original, issuer=lab.forger)


def _self_made_upon_ours(lab: Lab) -> bytes:
    return lab.seal(lab.sealed, issuer=lab.forger)


def _ours_upon_self_made(lab: Lab) -> bytes:
    return lab.seal(_self_made(lab))


def _our_reason(lab: Lab) -> bytes:
    return lab.signed(lab.original, reason=f"[{lab.serial()}] Meterai elektronik Rp10.000")


def _our_field(lab: Lab) -> bytes:
    return lab.signed(lab.original, f"Meterai_{lab.serial()}")


def _our_names(lab: Lab) -> bytes:
    """Names of our authorities under other keys, without a serial."""
    assert lab.forger.chain  # which makes its files
    keys = lab.directory / "forger"
    chain = [str(keys / "intermediate.pem"), str(keys / "root.pem")]
    signer = signers.SimpleSigner.load(str(keys / "seal.key"), str(keys / "seal.pem"), chain)
    return lab.signed(lab.original, signer=signer)


def _seal_of_seal_changed_between(lab: Lab) -> bytes:
    """Sealed, changed, and sealed again: the second seal must not heal the first."""
    changed_once = update(lab.sealed, {3: b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>"})
    return lab.seal(changed_once, Placement(2, 20, 20, 65))


def _rewritten(lab: Lab) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.sealed)) as opened:
        opened.save(out, static_id=True)
    return out.getvalue()


def _stamp_removed(lab: Lab) -> bytes:
    return lab.original


def _embedded(lab: Lab) -> bytes:
    """A sealed document as an attachment of another proves nothing for that."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole(letter(1, "Surat Palsu")))) as opened:
        opened.attachments["asli.pdf"] = pikepdf.AttachedFileSpec(
            opened, lab.sealed, filename="asli.pdf", creation_date="", mod_date=""
        )
        opened.save(out, compress_streams=False, static_id=True)
    return out.getvalue()


def _encrypted_changed(lab: Lab) -> bytes:
    """A seal inside an encrypted file, and a page replaced afterwards."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.original)) as opened:
        opened.save(
            out,
            encryption=pikepdf.Encryption(owner="rahasia", user=""),
            static_id=False,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    sealed = lab.seal(out.getvalue())
    return update(sealed, {5: b"<</Length 3>>stream\n0 g\nendstream"})


def _signed_later_with_a_password(lab: Lab) -> bytes:
    """Honest, and without the password nobody can tell."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.original)) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="rahasia", user="rahasia"))
    writer = IncrementalPdfFileWriter(io.BytesIO(lab.seal(out.getvalue(), password=b"rahasia")))
    writer.encrypt(b"rahasia")
    meta = signers.PdfSignatureMetadata(field_name="Notaris")
    return bytes(signers.PdfSigner(meta, lab.stranger).sign_pdf(writer).getvalue())


CASES: dict[str, Attack] = {
    "signed-later-with-a-password": Attack(
        _signed_later_with_a_password, "could_not_be_compared", frozenset({"readable"})
    ),
    "self-made-certificate-with-our-names": forged(_self_made, "issuer"),
    "self-made-seal-upon-ours": forged(_self_made_upon_ours, "issuer"),
    "our-seal-upon-a-self-made-one": forged(_ours_upon_self_made, "issuer"),
    "signature-with-our-reason": forged(_our_reason, "issuer"),
    "signature-in-a-field-of-our-name": forged(_our_field, "issuer"),
    "signature-with-our-names": forged(_our_names, "issuer"),
    "changed-between-two-seals": changed(_seal_of_seal_changed_between, "unchanged"),
    "rewritten": changed(_rewritten),
    "delta-removed": Attack(_stamp_removed, "not_sealed"),
    "sealed-file-as-an-attachment": Attack(_embedded, "not_sealed"),
    "encrypted-and-changed": changed(_encrypted_changed, "unchanged"),
}
