"""BLS signatures on BLS12-381: 48 bytes on G1, keys of 96 bytes on G2 (RFC 9380 for the hash).

Importing this takes half a second: import it where a signature is checked.
"""

import sys
from hashlib import sha256

# The library raises the recursion limit a hundredfold for the whole process.  A JSON text of many "[" would then overflow
# the stack.  The library does not need that depth.
_RECURSION_MAX = sys.getrecursionlimit()
try:
    from py_ecc.bls.g2_primitives import subgroup_check
    from py_ecc.bls.hash_to_curve import hash_to_G1
    from py_ecc.bls.point_compression import decompress_G1, decompress_G2
    from py_ecc.optimized_bls12_381 import FQ12, G2, final_exponentiate, is_inf, neg, pairing
finally:
    sys.setrecursionlimit(_RECURSION_MAX)

_SUITE = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """True if the key signed the message."""
    half = len(public_key) // 2
    try:
        signed = decompress_G1(int.from_bytes(signature, "big"))
        key = decompress_G2(
            (int.from_bytes(public_key[:half], "big"), int.from_bytes(public_key[half:], "big"))
        )
    except ValueError:
        return False  # not a point of the curve
    if any(is_inf(point) or not subgroup_check(point) for point in (signed, key)):
        return False
    product = pairing(G2, signed, final_exponentiate=False) * pairing(
        key, neg(hash_to_G1(message, _SUITE, sha256)), final_exponentiate=False
    )
    return bool(final_exponentiate(product) == FQ12.one())
