"""How our CMS SignedData is laid out (RFC 5652): constants, attributes, the frame.

One layout per chain of certificates.  `cms` fills it in when it writes, and compares with it when
it reads: the signature covers neither the frame nor the certificates, but the signed attributes name
each certificate by its digest (RFC 5035, section 4).
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

_KEYS_KEPT = 256  # parsed; a verifier meets few issuers, a hostile file only makes room

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
    """How our SignedData is laid out for one chain of certificates, signer's first."""

    def __init__(self, chain: Sequence[x509.Certificate]) -> None:
        encoded = [certificate.public_bytes(Encoding.DER) for certificate in chain]
        issuer, serial = issuer_and_serial(encoded[0])
        # RFC 5035: SHA-256 is the default and must then be left out of ESSCertIDv2 in DER.
        digests = [tlv(OCTETS, hashlib.sha256(one).digest()) for one in encoded]
        named = tlv(SEQUENCE, tlv(SEQUENCE, tlv(CONTEXT_4, issuer)), serial)
        # The others too: the signature in an authority's certificate may have a second form.
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
        """The signed attributes, as the SET that is signed."""
        digest_attribute = tlv(SEQUENCE, MESSAGE_DIGEST, tlv(SET, tlv(OCTETS, digest)))
        # DER orders the members of a SET by their encoding.
        members = sorted([self._type_attribute, digest_attribute, self._certificate_attribute])
        return tlv(SET, *members)

    def content_info(
        self, attributes: bytes, signature: bytes, time_stamp: bytes | None = None
    ) -> bytes:
        """The SignedData around signed attributes, their signature and the time-stamp over it."""
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
        """The signed attributes before and after the digest, which is all that differs."""
        attributes = self.attributes(bytes(DIGEST_BYTES))
        before = attributes.index(MESSAGE_DIGEST) + len(MESSAGE_DIGEST) + 4
        return attributes[:before], attributes[before + DIGEST_BYTES :]

    def around_signature(self, signature_bytes: int) -> tuple[bytes, bytes]:
        """The SignedData before the digest, and between it and a signature of this length."""
        whole = self.content_info(self.attributes(bytes(DIGEST_BYTES)), bytes(signature_bytes))
        tail = self.around_digest()[1] + self._algorithm + tlv(OCTETS, bytes(signature_bytes))
        digest_at = len(whole) - len(tail) - DIGEST_BYTES
        return whole[:digest_at], tail[: len(tail) - signature_bytes]


@lru_cache(maxsize=_KEYS_KEPT)
def key_of(certificate: x509.Certificate) -> object:
    """The public key; `None` for one of a kind or form nobody here can use."""
    try:
        return certificate.public_key()
    # cryptography raises several kinds of exception for keys it does not know.
    except Exception:
        return None


def issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes]:
    """Both as they are encoded in the certificate (RFC 5280, section 4.1); raises `NotDer`."""
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
