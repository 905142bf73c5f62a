"""Rounds 1 to 512 of a chain of our own, signed once for all time.

A round of an unchained chain signs its number and nothing else, so these hold for any time of
genesis and any period; whoever uses them says when round 1 is.  The scheme is
`bls-unchained-g1-rfc9380`, that of quicknet.  They were made with py_ecc 8.0.0: one secret number,
thrown away since, times `hash_to_G1(sha256(round as 8 bytes, big-endian))` with the domain
`BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_`.  A signer is not needed to run anything.
"""

import json
from importlib import resources
from typing import Any

_RECORDED: dict[str, Any] = json.loads(
    (resources.files("standins.drand") / "rounds.json").read_text()
)
PUBLIC_KEY: str = _RECORDED["public_key"]
ROUNDS = len(_RECORDED["signatures"])


def signature_of(number: int) -> str:
    """The signature of a round, in hexadecimal; raises `IndexError` beyond the last."""
    if number < 1:
        raise IndexError(number)
    return str(_RECORDED["signatures"][number - 1])
