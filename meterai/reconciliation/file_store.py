"""Contents of accepted record files: compressed, cut into pieces, and kept in the object store for the time `KEPT`."""

import gzip
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from meterai.plumbing.objects import ObjectStore
from meterai.reconciliation.model import RecordFileTaken

PIECE = 8 << 20  # bytes of a file in one object, so that no file is in memory whole
# Bank statements name payers.  Disputes arise within a year; sums, numbers and digest stay.
KEPT = timedelta(days=400)


def digest_of(path: Path) -> tuple[bytes, int]:
    """Return the SHA-256 of a file, and its length in bytes."""
    found, size = hashlib.sha256(), 0
    for piece in _pieces(path):
        found.update(piece)
        size += len(piece)
    return found.digest(), size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def object_names(sha256: bytes, pieces: int) -> Iterator[str]:
    """Return the names of the objects that hold the pieces of a file."""
    return (f"{sha256.hex()}-record-{number}" for number in range(pieces))


async def keep(objects: ObjectStore, path: Path, sha256: bytes) -> int:
    """Put a file into the object store, and return the number of its pieces."""
    count = 0
    for piece in _pieces(path):
        await objects.put(f"{sha256.hex()}-record-{count}", gzip.compress(piece, mtime=0))
        count += 1
    return count


async def let_go(objects: ObjectStore, file: RecordFileTaken, now: datetime) -> None:
    """Remove the pieces of an accepted record file from the object store."""
    for name in object_names(file.sha256, file.pieces):
        await objects.remove(name, now)
