"""The seed from the published values, and the order: entries sorted by HMAC.

    seed   = SHA-256("meterai draw 1 seed\\n", announcement, root, count, 0x01, round)
    order  = entries sorted by HMAC-SHA256(seed, entry), then by entry
    number = position in that order, from 1

The announcement enters by its hash, which covers the line.  The count is 8 bytes, big-endian.  The round is its
randomness, 32 bytes.  So no two records share a seed, and the seed of one line says nothing about another.

Fairness: for anybody who does not know the seed before the list is closed, HMAC-SHA256 is a random function, and sorting
by independent random values of 256 bits is a random permutation.  One order cannot test that: each is equally likely.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator

from meterai.draw.protocol.entries import ENTRY_BYTES

SEED_BYTES = 32


def seed_of(announcement: bytes, root: bytes, count: int, randomness: bytes) -> bytes:
    """Return the seed of a draw from the hash of the announcement, the root, the count and the randomness of the round."""
    fixed = announcement + root + count.to_bytes(8, "big")
    return hashlib.sha256(b"meterai draw 1 seed\n" + fixed + b"\x01" + randomness).digest()


def in_order(entries: Iterable[bytes], seed: bytes) -> Iterator[bytes]:
    """Yield the entries as drawn; the first has number 1.

    Sorted in 256 parts, so that eight million entries need 400 MB instead of three times that.
    """
    parts = [bytearray() for _ in range(256)]
    for entry in entries:
        rank = hmac.digest(seed, entry, "sha256")
        parts[rank[0]] += rank + entry
    width = hashlib.sha256().digest_size + ENTRY_BYTES
    for number, part in enumerate(parts):
        ranked = bytes(part)
        parts[number] = bytearray()
        rows = sorted([ranked[at : at + width] for at in range(0, len(ranked), width)])
        for row in rows:
            yield row[-ENTRY_BYTES:]


def drawn(
    entries: Iterable[bytes], seed: bytes, sought: bytes | None = None
) -> tuple[str, int | None]:
    """Return the hash of the order, and the number of one entry if it is among them.

    The hash is SHA-256 over all entries as drawn, concatenated; in hexadecimal.
    """
    digest = hashlib.sha256()
    place = None
    for number, entry in enumerate(in_order(entries, seed), 1):
        digest.update(entry)
        if entry == sought:
            place = number
    return digest.hexdigest(), place
