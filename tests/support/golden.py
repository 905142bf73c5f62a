"""The golden files: made once, each for a verdict or an attack, and read again ever after.

A genuine document lies there as it is.  An attack on one differs from it in a few bytes: it is
deflated with the plain letter, sealed, as its dictionary (RFC 1950), which takes a tenth of the room.
`python -m scripts.golden --unpack FOLDER` writes all as PDFs.
"""

import tomllib
import zlib
from functools import cache
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "sealing" / "golden"
BASE = "genuine"  # the plain letter, sealed
PLAIN, PACKED = ".pdf", ".delta"


@cache
def manifest() -> dict[str, dict[str, Any]]:
    """What is to be found in each file: `verdict`, `failed`."""
    return tomllib.loads((GOLDEN / "manifest.toml").read_text())


def document(name: str) -> bytes:
    """A document by its name."""
    plain = GOLDEN / (name + PLAIN)
    if plain.exists():
        return plain.read_bytes()
    engine = zlib.decompressobj(zdict=document(BASE))
    return engine.decompress((GOLDEN / (name + PACKED)).read_bytes()) + engine.flush()


def packed(made: bytes, base: bytes) -> bytes:
    """A document as it is kept: what it has beside the letter."""
    engine = zlib.compressobj(9, zdict=base)
    return engine.compress(made) + engine.flush()
