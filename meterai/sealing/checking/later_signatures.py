"""Signatures behind a seal: does each hold, over its update to the end?  Whose they are is reported.

Any key may have made one, for a stranger may sign after us; but an update that no signature covers is
nobody's, and is a change.
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from meterai.sealing.checking.updates import Found, Update, Written
from meterai.sealing.signing.cms import CERTIFICATES_MAX
from meterai.sealing.signing.issuer import common_name

CONTENTS_BYTES_MAX = 512 * 1024  # of one SignedData; with long-term evidence in it 100 KB

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
# What a reader finds in /Contents (ISO 32000-2, table 255, and ETSI EN 319 142-1): the SignedData over the
# ranges, or (true) a time-stamp over them.  By other names it would look for something else.
_KINDS = {
    "/adbe.pkcs7.detached": False,
    "/ETSI.CAdES.detached": False,
    "/ETSI.RFC3161": True,
}
_HEX = b"0123456789abcdefABCDEF\t\n\f\r "


class Signed(NamedTuple):
    """What a later signature says: the name in its certificate, and the time in its time-stamp, or
    the one that it states itself.  `is_time_stamp`: it is a time-stamp over the document."""

    signer: str
    at: datetime | None
    is_time_stamp: bool


def check_signature(buffer: bytes, update: Update, written: Written) -> Signed:
    """What the signature says; raises `Found` unless it covers its update to the end and holds."""
    entries = written.value
    assert isinstance(entries, dict)
    ranges, contents = entries.get("/ByteRange"), entries.get("/Contents")
    if not isinstance(contents, bytes) or not isinstance(ranges, list):
        raise Found("signature_invalid", written.ref.number)
    kind = entries.get("/SubFilter")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Found("signature_invalid", written.ref.number, key="/SubFilter")
    covered = _covered(buffer, update, written, ranges, contents)
    try:
        signed = _signed(contents, covered)
    # asn1crypto parses lazily, and both libraries raise many kinds of exception.
    except Exception:
        signed = None
    if signed is None or signed.is_time_stamp is not _KINDS[kind]:
        raise Found("signature_invalid", written.ref.number)
    return signed


def _covered(
    buffer: bytes, update: Update, written: Written, ranges: list[Any], contents: bytes
) -> tuple[bytes, bytes]:
    """The two pieces that were signed: all up to the end of the update but the own /Contents.

    What follows the SignedData in that string need not be zeros: some programs encipher them.
    """
    number = written.ref.number
    if len(ranges) != 4 or not all(type(one) is int for one in ranges):
        raise Found("signature_invalid", number, key="/ByteRange")
    first, gap, behind, length = ranges
    end = behind + length
    if first != 0 or not written.start < gap < behind < written.stop <= end <= update.end:
        raise Found("signature_invalid", number, key="/ByteRange")
    if buffer[end : update.end].strip(b"\r\n "):
        raise Found("signature_invalid", number, key="/ByteRange")
    hole = buffer[gap:behind]
    # The hole is the value of /Contents of this dictionary: a hexadecimal string, and no other
    # place in it holds these bytes.
    if hole[:1] + hole[-1:] != b"<>" or hole[1:-1].translate(None, _HEX):
        raise Found("signature_invalid", number, key="/Contents")
    if bytes.fromhex(hole[1:-1].decode("ascii")) != contents:
        raise Found("signature_invalid", number, key="/Contents")
    before = buffer[written.start : gap].rstrip(b"\t\n\f\r ")
    if not before.endswith(b"/Contents") or len(contents) > CONTENTS_BYTES_MAX:
        raise Found("signature_invalid", number, key="/Contents")
    return buffer[:gap], buffer[behind:end]


def _signed(contents: bytes, covered: tuple[bytes, bytes]) -> Signed | None:
    content = cms.ContentInfo.load(contents, strict=False)
    if content["content_type"].native != "signed_data":
        return None
    signed_data = content["content"]
    if len(signed_data["signer_infos"]) != 1 or len(signed_data["certificates"]) > CERTIFICATES_MAX:
        return None
    signer = signed_data["signer_infos"][0]
    certificate = _certificate(signed_data, signer)
    name = signer["digest_algorithm"]["algorithm"].native
    if certificate is None or name not in _HASHES:
        return None
    digest = hashlib.new(name, covered[0])
    digest.update(covered[1])
    inside = signed_data["encap_content_info"]
    if inside["content_type"].native == "tst_info":
        return _time_stamp(inside["content"], covered, signer, certificate, name)
    if inside["content_type"].native != "data" or inside["content"].native is not None:
        return None
    if not _holds(signer, certificate, name, digest.digest(), "data"):
        return None
    return Signed(common_name(certificate), _stated(signer), is_time_stamp=False)


def _time_stamp(
    content: Any,
    covered: tuple[bytes, bytes],
    signer: Any,
    certificate: x509.Certificate,
    name: str,
) -> Signed | None:
    """A time-stamp over the document (RFC 3161, section 2.4.2; ISO 32000-2, section 12.8.5)."""
    info: tsp.TSTInfo = content.parsed
    imprint = info["message_imprint"]
    over = imprint["hash_algorithm"]["algorithm"].native
    if over not in _HASHES:
        return None
    digest = hashlib.new(over, covered[0])
    digest.update(covered[1])
    if imprint["hashed_message"].native != digest.digest():
        return None
    if not _holds(
        signer, certificate, name, hashlib.new(name, content.contents).digest(), "tst_info"
    ):
        return None
    return Signed(common_name(certificate), info["gen_time"].native, is_time_stamp=True)


def _certificate(signed_data: Any, signer: Any) -> x509.Certificate | None:
    sid = signer["sid"]
    for choice in signed_data["certificates"]:
        if choice.name != "certificate":
            continue
        one = choice.chosen
        if sid.name == "issuer_and_serial_number":
            is_signer = (
                one.serial_number == sid.chosen["serial_number"].native
                and one.issuer.dump() == sid.chosen["issuer"].dump()
            )
        else:
            is_signer = one.key_identifier == sid.chosen.native
        if is_signer:
            return x509.load_der_x509_certificate(one.dump())
    return None


def _holds(signer: Any, certificate: x509.Certificate, name: str, digest: bytes, kind: str) -> bool:
    """True if the signed attributes name this digest and kind, and the certificate's key signed
    them (RFC 5652, section 5.4)."""
    if not signer["signed_attrs"].contents:
        return False
    values: dict[str, Any] = {}
    for attribute in signer["signed_attrs"]:
        key = attribute["type"].native
        if key in values or len(attribute["values"]) != 1:
            return False
        values[key] = attribute["values"][0].native
    if values.get("message_digest") != digest or values.get("content_type") != kind:
        return False
    signed = b"\x31" + signer["signed_attrs"].dump()[1:]
    try:
        _verify(certificate.public_key(), signer, signed, _HASHES[name])
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _verify(key: Any, signer: Any, signed: bytes, digest: hashes.HashAlgorithm) -> None:
    algorithm, signature = signer["signature_algorithm"], signer["signature"].native
    mechanism = algorithm.signature_algo
    if isinstance(key, rsa.RSAPublicKey) and mechanism == "rsassa_pkcs1v15":
        return key.verify(signature, signed, padding.PKCS1v15(), digest)
    if isinstance(key, rsa.RSAPublicKey) and mechanism == "rsassa_pss":
        parameters = algorithm["parameters"]
        over = _HASHES[parameters["hash_algorithm"]["algorithm"].native]
        mask = _HASHES[parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native]
        salt = parameters["salt_length"].native
        return key.verify(signature, signed, padding.PSS(padding.MGF1(mask), salt), over)
    if isinstance(key, ec.EllipticCurvePublicKey) and mechanism == "ecdsa":
        return key.verify(signature, signed, ec.ECDSA(digest))
    if isinstance(key, ed25519.Ed25519PublicKey) and mechanism == "ed25519":
        return key.verify(signature, signed)
    raise UnsupportedAlgorithm(f"a signature by {mechanism}")


def _stated(signer: Any) -> datetime | None:
    """The time among the signed attributes, if there is one."""
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            at: datetime = attribute["values"][0].native
            return at
    return None
