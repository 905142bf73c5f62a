"""ECDSA signatures in their canonical form, the lower s.

If (r, s) is a signature, (r, n - s) is another valid one over the same bytes, which anybody can make without the
key; n is the order of the curve (FIPS 186-5, section 6.4).  To make our signatures immutable, they have the lower s,
in DER, and the verifier accepts no other form.  Foreign signatures may have either value of s.
"""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

# Order of each curve allowed for a seal or a time-stamp (SP 800-186, section 3.2.1).
_ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "secp521r1": 0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
}


def lowered(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    """Convert a signature to the form with the lower s; raises `ValueError` for an unsupported curve."""
    order = _order(curve)
    r, s = decode_dss_signature(signature)
    return signature if 2 * s < order else encode_dss_signature(r, order - s)


def is_low(signature: bytes, curve: ec.EllipticCurve) -> bool:
    """True if the signature has the lower s and is encoded in DER."""
    try:
        r, s = decode_dss_signature(signature)
        return 2 * s < _order(curve) and encode_dss_signature(r, s) == signature
    except ValueError:
        return False


def _order(curve: ec.EllipticCurve) -> int:
    order = _ORDERS.get(curve.name)
    if order is None:
        raise ValueError(f"a signature on {curve.name}")
    return order
