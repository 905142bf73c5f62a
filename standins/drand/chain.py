"""Our own chain: rounds 1 to 512, with recorded signatures.

The signature of a round of an unchained chain covers only the number of the round, so the recorded signatures are valid for
any time of round 1 and any period. The scheme is `bls-unchained-g1-rfc9380`, as in quicknet. The signatures were made with
py_ecc 8.0.0: a secret number, which was deleted afterwards, times `hash_to_G1(sha256(round as 8 bytes, big-endian))` with
the domain `BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_`.  No private key is needed at run time.
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
PERIOD = 30  # seconds between two rounds; all rounds last four hours
SPARE = 120  # rounds that are left at least when a stand-in starts: an hour


def signature_of(number: int) -> str:
    """Return the signature of a round in hexadecimal. Raises `IndexError` if the round is not recorded."""
    if number < 1:
        raise IndexError(number)
    return str(_RECORDED["signatures"][number - 1])


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain: the time of round 1 (seconds since 1970), and the seconds between two rounds."""

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
        """Return the facts of the chain in the form of drand's relays."""
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
        """Return the number of the newest round at a moment (seconds since 1970); 0 before the first."""
        return max(0, int(now - self.genesis_time) // self.period + 1)


def kept_chain(directory: Path) -> Chain:
    """Return the chain of a directory; the first call makes it, with round 1 at that time.

    Near the end of the recorded rounds a new chain begins. A draw that named a later round of the old chain then waits
    permanently; this cannot happen with the real drand.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file, now = directory / "drand-genesis", now_ms() // 1000
    genesis = int(file.read_text()) if file.is_file() else 0
    if Chain(genesis, PERIOD).newest(now) > ROUNDS - SPARE:
        genesis = now
        file.write_text(str(genesis))
    return Chain(genesis, PERIOD)
