"""The row of `make bench` for sealing: sealing and checking one document, compared with its cryptographic operations alone."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.machine import cpu_per_call
from bench.sealing.documents import generated
from bench.sealing.limit import Limit
from bench.sealing.ours import Ours

SECONDS = 2.0  # of processor time for each figure
DOCUMENT_BYTES = 50_000


@dataclass(frozen=True, slots=True)
class Sealing:
    """Processor seconds of one document."""

    bytes: int
    seal: float
    seal_limit: float
    verify: float
    verify_limit: float


def letter() -> bytes:
    """Return a page with an incompressible picture, some 50 KB together."""
    return generated(pages=1, size=DOCUMENT_BYTES, is_packed=False)


def measure() -> Sealing:
    """Inspect, seal and check one generated document, repeatedly."""
    original = letter()
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        ours = Ours(Path(folder) / "issuer", "p256")
    delta = ours.seal(original)
    stamped, limit = original + delta, Limit(ours.key, ours.claim_key)

    def seal() -> bytes:
        ours.inspect(original)
        return original + ours.seal(original)

    return Sealing(
        len(original),
        cpu_per_call(seal, SECONDS),
        cpu_per_call(lambda: limit.seal(original, delta), SECONDS / 4),
        cpu_per_call(lambda: ours.verify(stamped), SECONDS),
        cpu_per_call(lambda: limit.verify(stamped), SECONDS / 4),
    )
