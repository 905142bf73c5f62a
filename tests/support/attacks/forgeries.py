"""Attacks by an author who makes seals without our keys, or has us seal a prepared document."""

import io

import pikepdf
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign import signers

from meterai.sealing.signing.cms_layout import DATA, SIGNED_DATA, issuer_and_serial
from meterai.sealing.signing.der import tlv
from tests.support.attacks.lab import Attack, Lab, altered, extended, forged
from tests.support.pdfmaker import Stream, letter, update, whole

_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_ATTRIBUTES, _RANGES = 4_800, 64


def _self_made(lab: Lab) -> bytes:
    return lab.seal(lab.original, issuer=lab.forger)


def _our_reason(lab: Lab) -> bytes:
    return lab.signed(lab.original, reason=f"[{lab.serial()}] Meterai elektronik Rp10.000")


def _our_field(lab: Lab) -> bytes:
    return lab.signed(lab.original, f"Meterai_{lab.serial()}")


def _our_names(lab: Lab) -> bytes:
    """A signature without a serial, by a certificate chain with the names of our authorities and other keys."""
    assert lab.forger.chain  # reading the chain writes the files of the keys
    keys = lab.directory / "forger"
    chain = [str(keys / "intermediate.pem"), str(keys / "root.pem")]
    signer = signers.SimpleSigner.load(str(keys / "seal.key"), str(keys / "seal.pem"), chain)
    return lab.signed(lab.original, signer=signer)


def _rewritten(lab: Lab) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.sealed)) as opened:
        opened.save(out, static_id=True)
    return out.getvalue()


def _embedded(lab: Lab) -> bytes:
    """A sealed document, attached to another one. The attachment proves nothing about the outer document."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole(letter(1, "Surat Palsu")))) as opened:
        opened.attachments["asli.pdf"] = pikepdf.AttachedFileSpec(
            opened, lab.sealed, filename="asli.pdf", creation_date="", mod_date=""
        )
        opened.save(out, compress_streams=False, static_id=True)
    return out.getvalue()


def _encrypted_changed(lab: Lab) -> bytes:
    """A sealed encrypted file whose page is replaced afterwards."""
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


def many_ranges_around_one(lab: Lab) -> bytes:
    """A document with 64 byte ranges around one SignedData that is no seal.

    The SignedData has an empty revocation list and thousands of signed attributes.
    """
    certificate = lab.issuer.chain[0].public_bytes(Encoding.DER)
    issuer, serial = issuer_and_serial(certificate)
    names = (b"\x2a\x03" + bytes([0x81, 0x80 | one >> 7, one & 127]) for one in range(_ATTRIBUTES))
    attributes = b"".join(tlv(0x30, tlv(6, name), b"\x31\x02\x05\x00") for name in names)
    signer = tlv(
        0x30,
        *(b"\2\1\1", tlv(0x30, issuer, serial), _SHA256, tlv(0xA0, attributes)),
        *(_ECDSA_SHA256, tlv(4, b"x")),
    )
    inside = tlv(
        0x30,
        *(b"\2\1\1", tlv(0x31, _SHA256), tlv(0x30, DATA), tlv(0xA0, certificate)),
        *(tlv(0xA1), tlv(0x31, signer)),
    )
    placeholder = b"<%b>" % tlv(0x30, SIGNED_DATA, tlv(0xA0, inside)).hex().encode()
    ranges = b"/ByteRange[0 %010d %010d 9]\n"
    data = ranges % (0, 0) * _RANGES + placeholder
    document = whole({**letter(1), 20: Stream(b"", data)})
    at = document.index(placeholder)
    return document.replace(ranges % (0, 0), ranges % (at, at + len(placeholder)))


CASES: dict[str, Attack] = {
    "self-made-certificate-with-our-names": forged(_self_made, "issuer"),
    "signature-with-our-reason": forged(_our_reason, "issuer"),
    "signature-in-a-field-of-our-name": forged(_our_field, "issuer"),
    "signature-with-our-names": forged(_our_names, "issuer"),
    "rewritten": altered(_rewritten, "structure"),
    "delta-removed": Attack(lambda lab: lab.original, "not_sealed"),
    "sealed-file-as-an-attachment": Attack(_embedded, "not_sealed"),
    "encrypted-and-changed": extended(_encrypted_changed),
}
