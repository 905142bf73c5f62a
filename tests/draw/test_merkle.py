"""The Merkle tree against RFC 9162: known roots, its recursive definition, proofs."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.draw.protocol import merkle
from meterai.draw.protocol.merkle import is_included, leaf_hash, node_hash, proof_of, root_of

# Leaves and roots of the tests of Certificate Transparency's reference implementation.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined(entries: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return node_hash(defined(entries[:split]), defined(entries[split:]))


@pytest.mark.parametrize("count", range(9))
def test_roots_equal_those_of_certificate_transparency(count: int) -> None:
    assert root_of(LEAVES[:count]).hex() == ROOTS[count]


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=70))
def test_root_equals_the_recursive_definition_for_any_block_size(entries: list[bytes]) -> None:
    for block in (1, 4, 16, 1 << 12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merkle, "_BLOCK", block)
            assert root_of(iter(entries)) == defined(entries)


def test_root_of_several_blocks_equals_the_definition() -> None:
    entries = [number.to_bytes(16, "big") for number in range(3 * merkle._BLOCK + 17)]
    assert root_of(entries) == defined(entries)


@given(st.integers(1, 70), st.data())
def test_proof_is_valid_for_its_entry_only(count: int, data: st.DataObject) -> None:
    entries = [number.to_bytes(16, "big") for number in range(count)]
    index = data.draw(st.integers(0, count - 1))
    root, proof = root_of(entries), proof_of(entries, index)
    assert is_included(entries[index], index, count, proof, root)
    assert not is_included(b"x" * 16, index, count, proof, root)
    for other in range(-1, count + 2):
        if other != index:
            assert not is_included(entries[index], other, count, proof, root)
    assert not is_included(entries[index], index, count, [*proof, root], root)
    if proof:
        assert not is_included(entries[index], index, count, proof[:-1], root)
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], bytes(32), *proof[at + 1 :]]
        assert not is_included(entries[index], index, count, changed, root)


def test_leaf_hash_differs_from_node_hash() -> None:
    # Without the two prefixes, the two children of a node would pass for an entry of 64 bytes.
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
