"""The canonical form of a time-stamp token (RFC 3161, section 2.4.2) in a seal.

The signature of the authority covers only its statement and the signed attributes.  Anybody could change the certificates,
lists or attributes around these, or encode the same content in another way.  So a token is converted to its canonical form when
it is put into a seal, and compared with that form when it is checked.  Then nobody can change the token without the authority's
key; it can only be replaced by another token of the same authority.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing.signing.cms_layout import SIGNED_DATA, issuer_and_serial
from meterai.sealing.signing.der import CONTEXT_0, INTEGER, OCTETS, SEQUENCE, SET, tlv
from meterai.sealing.signing.ecdsa import lowered

_TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
NULL = b"\x05\x00"
_DIGESTS = {
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
}
RSA_NAMES = {
    "sha256": bytes.fromhex("06092a864886f70d01010b"),
    "sha384": bytes.fromhex("06092a864886f70d01010c"),
    "sha512": bytes.fromhex("06092a864886f70d01010d"),
}
ECDSA_NAMES = {
    "sha256": bytes.fromhex("06082a8648ce3d040302"),
    "sha384": bytes.fromhex("06082a8648ce3d040303"),
    "sha512": bytes.fromhex("06082a8648ce3d040304"),
}


class Parts(NamedTuple):
    """Parts of a token.

    `digest` names the digest algorithm over the TSTInfo, and `signed_digest` the digest algorithm of the signature; the two may
    differ.
    """

    info: bytes  # the TSTInfo
    attributes: bytes  # encoded as the SET that is signed
    digest: str
    signed_digest: str
    signature: bytes


def canonical_token(parts: Parts, chain: Sequence[x509.Certificate]) -> bytes:
    """Encode a token with the certificates of `chain`, from the signer's to the root, and without optional parts.

    Raises `ValueError` for an algorithm without a canonical form.
    """
    encoded = [certificate.public_bytes(Encoding.DER) for certificate in chain]
    issuer, serial = issuer_and_serial(encoded[0])
    algorithm, signature = _signature(parts, chain[0].public_key())
    digest = tlv(SEQUENCE, _DIGESTS[parts.digest], NULL)
    signer_info = tlv(
        SEQUENCE,
        tlv(INTEGER, b"\x01"),
        tlv(SEQUENCE, issuer, serial),
        digest,
        bytes([CONTEXT_0]) + parts.attributes[1:],
        algorithm,
        tlv(OCTETS, signature),
    )
    signed_data = tlv(
        SEQUENCE,
        tlv(INTEGER, b"\x03"),  # RFC 5652, section 5.1: the content is not data
        tlv(SET, digest),
        tlv(SEQUENCE, _TST_INFO, tlv(CONTEXT_0, tlv(OCTETS, parts.info))),
        tlv(CONTEXT_0, *sorted(encoded)),
        tlv(SET, signer_info),
    )
    return tlv(SEQUENCE, SIGNED_DATA, tlv(CONTEXT_0, signed_data))


def _signature(parts: Parts, key: object) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier (RFC 5754, section 3) and the signature in its canonical form."""
    if isinstance(key, rsa.RSAPublicKey):
        return tlv(SEQUENCE, RSA_NAMES[parts.signed_digest], NULL), parts.signature
    if isinstance(key, ec.EllipticCurvePublicKey):
        lower = lowered(parts.signature, key.curve)
        return tlv(SEQUENCE, ECDSA_NAMES[parts.signed_digest]), lower
    raise ValueError("a token by a key that is neither RSA nor on an elliptic curve")
