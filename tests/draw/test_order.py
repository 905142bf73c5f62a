"""Seed and order of a draw: computed again by their definition, with one seed for each record.

The tests check that the order is a permutation. Fairness is argued in `order`: any bijection, even the
identity, would pass a test that counts how often a place goes to an entry in one draw.
"""

import hashlib
import hmac
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.draw.protocol.order import drawn, in_order, seed_of
from tests.support.draws import entries_of

values = st.binary(min_size=32, max_size=32)


@given(st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=300), values)
def test_order_is_sorted_by_hmac(entries: list[bytes], seed: bytes) -> None:
    expected = sorted(entries, key=lambda entry: hmac.new(seed, entry, hashlib.sha256).digest())
    assert list(in_order(entries, seed)) == expected
    digest, _ = drawn(entries, seed)
    assert digest == hashlib.sha256(b"".join(expected)).hexdigest()
    for number, entry in enumerate(expected[:5], 1):
        assert drawn(entries, seed, entry) == (digest, number)
    assert drawn(entries, seed, b"not an entry ....") == (digest, None)


def test_order_is_independent_of_the_input_order() -> None:
    entries = entries_of(500)
    mixed = random.Random(5).sample(entries, len(entries))
    assert drawn(entries, b"s" * 32) == drawn(mixed, b"s" * 32)


@pytest.mark.parametrize("moved", range(4))
def test_every_part_of_the_record_changes_the_seed(moved: int) -> None:
    parts: list[Any] = [b"a" * 32, b"r" * 32, 7, b"v" * 32]
    changed: list[Any] = [b"b" * 32, b"q" * 32, 8, b"w" * 32]
    other = [*parts[:moved], changed[moved], *parts[moved + 1 :]]
    assert seed_of(*parts) != seed_of(*other)


def test_seed_equals_its_definition() -> None:
    made = b"meterai draw 1 seed\n" + b"a" * 32 + b"r" * 32 + (7).to_bytes(8, "big")
    made += b"\x01" + b"v" * 32
    seed = seed_of(b"a" * 32, b"r" * 32, 7, b"v" * 32)
    assert seed == hashlib.sha256(made).digest()
