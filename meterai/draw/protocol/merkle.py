"""The Merkle tree over the list of entries, hashed as in RFC 9162 (section 2.1).

A leaf is SHA-256(0x00, entry), a node SHA-256(0x01, left, right).  No entry or position can change without changing the root.
A proof of inclusion has the sibling hashes on the path from an entry to the root: 23 hashes for eight million entries.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

HASH_BYTES = 32
PROOF_HASHES_MAX = 64  # hashes of a proof: more than any possible number of leaves needs
_BLOCK = 1 << 12  # leaves that are hashed level by level; a power of two


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of the leaf for an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two adjacent nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(entries: Iterable[bytes]) -> bytes:
    """Return the root over entries in the given order; without entries, the SHA-256 of no bytes.

    Needs memory only for one block of entries, and for a hash of each level.
    """
    subtrees: list[bytes] = []  # roots of subtrees of whole blocks, the largest first
    blocks = 0
    for level in _blocks(entries):
        root = _levels(level)[-1][0]
        if len(level) == _BLOCK:
            # The number of subtrees that are completed here is the number of trailing one bits of `blocks`.
            merges = blocks
            while merges & 1:
                root = node_hash(subtrees.pop(), root)
                merges >>= 1
            blocks += 1
        subtrees.append(root)
    if not subtrees:
        return hashlib.sha256().digest()
    root = subtrees.pop()
    while subtrees:
        root = node_hash(subtrees.pop(), root)
    return root


def proof_of(entries: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that the entry at `index` (from 0) is in the tree over all entries."""
    path: list[bytes] = []
    for level in _levels([leaf_hash(entry) for entry in entries])[:-1]:
        beside = index ^ 1
        if beside < len(level):  # the last node of an odd level has no sibling
            path.append(level[beside])
        index >>= 1
    return path


def is_included(entry: bytes, index: int, count: int, proof: Sequence[bytes], root: bytes) -> bool:
    """True if the proof shows that the entry is at `index` (from 0) in the tree over `count` entries with this root.

    RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < count or len(proof) > PROOF_HASHES_MAX:
        return False
    node, last, found = index, count - 1, leaf_hash(entry)
    for beside in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(beside, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def _blocks(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(entries)
    sha256 = hashlib.sha256
    while level := [sha256(b"\x00" + entry).digest() for entry in islice(rest, _BLOCK)]:
        yield level


def _levels(level: list[bytes]) -> list[list[bytes]]:
    """Return all levels of the tree over these nodes: the nodes first, the root last."""
    levels = [level]
    sha256 = hashlib.sha256
    while len(level) > 1:
        above = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = above + level[len(above) * 2 :]
        levels.append(level)
    return levels
