"""The seed, computed from the published values, and the order: the entries sorted by HMAC.

    seed   = SHA-256("meterai draw 1 seed\\n", announcement, root, count, 0x01, round)
    order  = entries sorted by HMAC-SHA256(seed, entry), then by entry
    number = position in that order, from 1

`announcement` is the hash of the announcement, which names the waiting line.  `count` has 8 bytes, big-endian.  `round` is the
randomness of the round, 32 bytes.  So no two records share a seed, and the seed of one line says nothing about the seed of
another line.

Fairness: nobody knows the seed before the list is closed, so HMAC-SHA256 acts as a random function.  Sorting by independent
random values of 256 bits is a random permutation.  The order itself cannot prove that it is random, since every order is
equally likely.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator

from meterai.draw.protocol.entries import ENTRY_BYTES

SEED_BYTES = 32


def seed_of(announcement: bytes, root: bytes, count: int, randomness: bytes) -> bytes:
    """Return the seed of a draw.

    `announcement` is the hash of the announcement, `root` the Merkle root of the list of entries, and `count` the number of its
    entries.  `randomness` is the randomness of the deciding round.
    """
    fixed = announcement + root + count.to_bytes(8, "big")
    return hashlib.sha256(b"meterai draw 1 seed\n" + fixed + b"\x01" + randomness).digest()


def in_order(entries: Iterable[bytes], seed: bytes) -> Iterator[bytes]:
    """Yield the entries in their drawn order; the first has number 1.

    The entries are sorted in 256 parts, so that eight million entries need 400 MB of memory instead of three times that.
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
    """Return the hash of the order, and the number of the entry `sought`, or None if it is not in the list.

    The hash is the SHA-256, in hexadecimal, of all entries concatenated in their drawn order.
    """
    digest = hashlib.sha256()
    place = None
    for number, entry in enumerate(in_order(entries, seed), 1):
        digest.update(entry)
        if entry == sought:
            place = number
    return digest.hexdigest(), place
