"""A chain of our own: rounds 1 to 512, signed once for all time.

A round of an unchained chain signs its number and nothing else, so these hold for any time of
genesis and any period; whoever uses them says when round 1 is.  The scheme is
`bls-unchained-g1-rfc9380`, that of quicknet.  They were made with py_ecc 8.0.0: one secret number,
thrown away since, times `hash_to_G1(sha256(round as 8 bytes, big-endian))` with the domain
`BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_`.  No signer is needed to run anything.
"""

import hashlib
import json
import struct
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from standins.clock import now_ms

_RECORDED: dict[str, Any] = json.loads(
    (resources.files("standins.drand") / "rounds.json").read_text()
)
ROUNDS = len(_RECORDED["signatures"])
SCHEME = "bls-unchained-g1-rfc9380"
SEED = "00" * 32
PERIOD = 30  # seconds, of the chain of a directory: four hours
SPARE = 120  # rounds that are left at least when a stand-in starts: an hour


def signature_of(number: int) -> str:
    """The signature of a round, in hexadecimal; raises `IndexError` for one that is not recorded."""
    if number < 1:
        raise IndexError(number)
    return str(_RECORDED["signatures"][number - 1])


@dataclass(frozen=True, slots=True)
class Chain:
    """When round 1 was (seconds since 1970), and how many seconds lie between two."""

    genesis_time: int
    period: int
    beacon: str = "stand-in"
    public_key: str = _RECORDED["public_key"]

    @property
    def hash(self) -> str:
        """The hash by which drand names the chain."""
        digest = hashlib.sha256(struct.pack(">Iq", self.period, self.genesis_time))
        digest.update(bytes.fromhex(self.public_key) + bytes.fromhex(SEED) + self.beacon.encode())
        return digest.hexdigest()

    def info(self) -> dict[str, object]:
        """The chain as relays tell it."""
        return {
            "public_key": self.public_key,
            "period": self.period,
            "genesis_time": self.genesis_time,
            "genesis_seed": SEED,
            "chain_hash": self.hash,
            "scheme": SCHEME,
            "beacon_id": self.beacon,
        }

    def newest(self, now: float) -> int:
        """The last round that exists at a moment (seconds since 1970); 0 before the first."""
        return max(0, int(now - self.genesis_time) // self.period + 1)


def kept_chain(directory: Path) -> Chain:
    """The chain of a directory: its round 1 was when it was first asked for.

    Near the end of what is recorded another begins; a draw that named a round of the one before
    waits for ever, as only a stand-in would have it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file, now = directory / "drand-genesis", now_ms() // 1000
    genesis = int(file.read_text()) if file.is_file() else 0
    if Chain(genesis, PERIOD).newest(now) > ROUNDS - SPARE:
        genesis = now
        file.write_text(str(genesis))
    return Chain(genesis, PERIOD)
