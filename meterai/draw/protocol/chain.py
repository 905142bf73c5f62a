"""drand: public randomness at fixed intervals, signed by a threshold of nodes and unknown before its time.

A chain is identified by its hash.  In an unchained scheme the signature (BLS) of a round covers only the number of the round,
so that years later it can be verified with only the chain's public key.  The randomness of a round is the SHA-256 of its
signature.  Source: drand's `chain.Info` and specification.
"""

import hashlib
import re
import struct
from functools import lru_cache

import msgspec

from meterai.kit.refusal import CommandRefusal

SCHEME = "bls-unchained-g1-rfc9380"  # signatures of 48 bytes on G1, keys of 96 bytes on G2
SIGNATURE_DIGITS = 96
_SIGNATURE = re.compile(rf"[0-9a-f]{{{SIGNATURE_DIGITS}}}")
_ANSWERS_KEPT = 64  # cached results of checks; the round of a draw is checked many times
_DEFAULT_BEACON = "default"  # the only chain whose name is not part of its hash
_SECONDS_MAX = 1 << 40  # latest time that is accepted, in seconds since 1970


class RoundForged(CommandRefusal):
    """The signature is not the valid signature of this round of this chain."""

    code = "draw_round_forged"
    status = 422

    def __init__(self, number: int) -> None:
        super().__init__(f"round {number}: the signature is invalid")
        self.round = number


class BeaconChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Description of a drand chain; the hash of the chain covers all fields."""

    beacon: str
    period: int  # seconds from one round to the next
    genesis_time: int  # of round 1, seconds since 1970
    genesis_seed: str  # hexadecimal; drand calls it the hash of the group
    public_key: str  # hexadecimal, 96 bytes
    scheme: str = SCHEME


QUICKNET = BeaconChain(
    beacon="quicknet",
    period=3,
    genesis_time=1692803367,
    genesis_seed="f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
    public_key="83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
    "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
    "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
)
QUICKNET_HASH = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"


def is_usable(chain: BeaconChain) -> bool:
    """True if the description is valid, so that rounds of the chain can be dated and verified."""
    return (
        chain.scheme == SCHEME
        and 0 < chain.period < 1 << 32
        and 0 <= chain.genesis_time < _SECONDS_MAX
        and re.fullmatch(r"[0-9a-f]{64}", chain.genesis_seed) is not None
        and re.fullmatch(r"[0-9a-f]{192}", chain.public_key) is not None
    )


def hash_of(chain: BeaconChain) -> str:
    """Return the hash by which drand identifies a usable chain."""
    digest = hashlib.sha256(struct.pack(">Iq", chain.period, chain.genesis_time))
    digest.update(bytes.fromhex(chain.public_key) + bytes.fromhex(chain.genesis_seed))
    if chain.beacon != _DEFAULT_BEACON:
        digest.update(chain.beacon.encode())
    return digest.hexdigest()


def time_of(chain: BeaconChain, number: int) -> int:
    """Return the time from which a round exists, in seconds since 1970."""
    return chain.genesis_time + (number - 1) * chain.period


def first_round_at(chain: BeaconChain, at: int) -> int:
    """Return the number of the first round that comes into being at `at` (seconds since 1970) or later."""
    return max(1, 1 - (chain.genesis_time - at) // chain.period)


def randomness_of(chain: BeaconChain, number: int, signature: str) -> bytes:
    """Check the signature of a round, in hexadecimal, and return the round's randomness, 32 bytes.

    Refuses `RoundForged`.
    """
    if not is_usable(chain) or not 0 < number < 1 << 63 or not _SIGNATURE.fullmatch(signature):
        raise RoundForged(number)
    if not _is_signed(number, bytes.fromhex(signature), bytes.fromhex(chain.public_key)):
        raise RoundForged(number)
    return hashlib.sha256(bytes.fromhex(signature)).digest()


@lru_cache(_ANSWERS_KEPT)
def _is_signed(number: int, signature: bytes, public_key: bytes) -> bool:
    from meterai.draw.protocol.bls import is_signed  # noqa: PLC0415 - half a second to load

    return is_signed(hashlib.sha256(number.to_bytes(8, "big")).digest(), signature, public_key)
