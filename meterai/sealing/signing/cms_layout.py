"""Layout of our CMS SignedData (RFC 5652): constants, attributes, and the frame around them.

There is one layout for each chain of certificates.  `cms` fills it in when it writes a SignedData.  When it reads one, it
compares the bytes with the layout, because the signature covers neither the frame nor the certificates; the signed
attributes name each certificate by its digest (RFC 5035, section 4).
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing.signing import der
from meterai.sealing.signing.der import (
    CONTEXT_0,
    CONTEXT_1,
    CONTEXT_4,
    INTEGER,
    OCTETS,
    SEQUENCE,
    SET,
    tlv,
)

DIGEST_BYTES = 32  # SHA-256

_KEYS_KEPT = 256  # cached after parsing; a verifier reads those of few issuers

DATA = bytes.fromhex("06092a864886f70d010701")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")
TIME_STAMP_TOKEN = bytes.fromhex("060b2a864886f70d010910020e")
SHA256_NAME = bytes.fromhex("0609608648016503040201")
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
_SHA256_WITH_ECDSA = bytes.fromhex("300a06082a8648ce3d040302")


class CmsLayout:
    """Layout of our SignedData for one chain of certificates, the signer's certificate first."""

    def __init__(self, chain: Sequence[x509.Certificate]) -> None:
        encoded = [certificate.public_bytes(Encoding.DER) for certificate in chain]
        issuer, serial = issuer_and_serial(encoded[0])
        # In an ESSCertIDv2 (RFC 5035) SHA-256 is the default algorithm, which DER requires to be omitted.
        digests = [tlv(OCTETS, hashlib.sha256(one).digest()) for one in encoded]
        named = tlv(SEQUENCE, tlv(SEQUENCE, tlv(CONTEXT_4, issuer)), serial)
        # The other certificates are named too, since the signature in a certificate may have a second valid form.
        identifiers = tlv(SEQUENCE, digests[0], named) + b"".join(
            [tlv(SEQUENCE, digest) for digest in digests[1:]]
        )
        self._certificate_attribute = tlv(
            SEQUENCE,
            SIGNING_CERTIFICATE_V2,
            tlv(SET, tlv(SEQUENCE, tlv(SEQUENCE, identifiers))),
        )
        self._type_attribute = tlv(SEQUENCE, CONTENT_TYPE, tlv(SET, DATA))
        self._signer = tlv(INTEGER, b"\x01") + tlv(SEQUENCE, issuer, serial) + _SHA256
        is_rsa = isinstance(key_of(chain[0]), rsa.RSAPublicKey)
        self._algorithm = _SHA256_WITH_RSA if is_rsa else _SHA256_WITH_ECDSA
        self._head = (
            tlv(INTEGER, b"\x01")
            + tlv(SET, _SHA256)
            + tlv(SEQUENCE, DATA)
            + tlv(CONTEXT_0, b"".join(sorted(encoded)))
        )

    def attributes(self, digest: bytes) -> bytes:
        """Return the signed attributes for a document digest, encoded as the SET that is signed."""
        digest_attribute = tlv(SEQUENCE, MESSAGE_DIGEST, tlv(SET, tlv(OCTETS, digest)))
        # DER orders the members of a SET by their encoding.
        members = sorted([self._type_attribute, digest_attribute, self._certificate_attribute])
        return tlv(SET, *members)

    def content_info(
        self, attributes: bytes, signature: bytes, time_stamp: bytes | None = None
    ) -> bytes:
        """Return the SignedData with these signed attributes, their signature, and the time-stamp token over the signature."""
        signer_info = tlv(
            SEQUENCE,
            self._signer,
            bytes([CONTEXT_0]) + attributes[1:],
            self._algorithm,
            tlv(OCTETS, signature),
            b"" if time_stamp is None else _time_stamp_attribute(time_stamp),
        )
        signed_data = tlv(SEQUENCE, self._head, tlv(SET, signer_info))
        return tlv(SEQUENCE, SIGNED_DATA, tlv(CONTEXT_0, signed_data))

    def around_digest(self) -> tuple[bytes, bytes]:
        """Return the bytes of the signed attributes before and after the digest; only the digest differs between seals."""
        attributes = self.attributes(bytes(DIGEST_BYTES))
        before = attributes.index(MESSAGE_DIGEST) + len(MESSAGE_DIGEST) + 4
        return attributes[:before], attributes[before + DIGEST_BYTES :]

    def around_signature(self, signature_bytes: int) -> tuple[bytes, bytes]:
        """Return the bytes of the SignedData before the digest, and those between digest and signature.

        `signature_bytes` is the length of the signature.
        """
        whole = self.content_info(self.attributes(bytes(DIGEST_BYTES)), bytes(signature_bytes))
        tail = self.around_digest()[1] + self._algorithm + tlv(OCTETS, bytes(signature_bytes))
        digest_at = len(whole) - len(tail) - DIGEST_BYTES
        return whole[:digest_at], tail[: len(tail) - signature_bytes]


@lru_cache(maxsize=_KEYS_KEPT)
def key_of(certificate: x509.Certificate) -> object:
    """Return the public key of a certificate; `None` if its kind or encoding is not supported."""
    try:
        return certificate.public_key()
    # cryptography raises several kinds of exception for unsupported keys.
    except Exception:
        return None


def issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes]:
    """Return issuer and serial number as encoded in the certificate (RFC 5280, section 4.1); raises `NotDer`."""
    whole = der.only(certificate, SEQUENCE, 0, len(certificate))
    fields = der.members(certificate, der.element(certificate, whole.start, whole.stop))
    first = 1 if fields and fields[0].tag == CONTEXT_0 else 0
    if len(fields) < first + 3:
        raise der.NotDer("a certificate without issuer")
    serial, _, issuer = fields[first : first + 3]
    return certificate[issuer.at : issuer.stop], certificate[serial.at : serial.stop]


def _time_stamp_attribute(token: bytes) -> bytes:
    attribute = tlv(SEQUENCE, TIME_STAMP_TOKEN, tlv(SET, token))
    return tlv(CONTEXT_1, attribute)
