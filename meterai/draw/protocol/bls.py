"""BLS signatures on BLS12-381: signatures of 48 bytes on G1, keys of 96 bytes on G2 (RFC 9380 for the hash).

The import of this module takes half a second, so import it only where a signature is checked.
"""

import sys
from hashlib import sha256

# On import the library raises the recursion limit a hundredfold for the whole process, so that a JSON text of many "["
# would overflow the stack.  The library does not need that depth, so the limit is restored.
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
    """True if the signature of the message was made with the key."""
    half = len(public_key) // 2
    try:
        signed = decompress_G1(int.from_bytes(signature, "big"))
        key = decompress_G2(
            (int.from_bytes(public_key[:half], "big"), int.from_bytes(public_key[half:], "big"))
        )
    except ValueError:
        return False  # the bytes encode no point of the curve
    if any(is_inf(point) or not subgroup_check(point) for point in (signed, key)):
        return False
    product = pairing(G2, signed, final_exponentiate=False) * pairing(
        key, neg(hash_to_G1(message, _SUITE, sha256)), final_exponentiate=False
    )
    return bool(final_exponentiate(product) == FQ12.one())
