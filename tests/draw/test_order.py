"""Seed and order of a draw: computed again by their definition, with one seed for each record.

The tests check that the order is a permutation. Fairness is argued in `order`: any bijection, even the
identity, would pass a test that counts how often a place goes to an entry in one draw.
"""

import hashlib
import hmac
import random
from itertools import pairwise
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


def test_order_depends_on_the_seed() -> None:
    entries = entries_of(500)
    assert list(in_order(entries, bytes(32))) != list(in_order(entries, b"\x01" * 32))


def test_order_is_independent_of_the_input_order() -> None:
    entries = entries_of(500)
    mixed = random.Random(5).sample(entries, len(entries))
    assert drawn(entries, b"s" * 32) == drawn(mixed, b"s" * 32)


def test_order_is_uncorrelated_with_the_list() -> None:
    # A guard against a slip such as sorting by the entry, and no proof that the draw is fair.
    entries = entries_of(2_000)
    places = {entry: place for place, entry in enumerate(in_order(entries, b"t" * 32))}
    behind = sum(places[one] < places[other] for one, other in pairwise(entries))
    assert 900 < behind < 1_100


@given(
    st.tuples(values, values, st.integers(0, 1 << 40), values),
    st.tuples(values, values, st.integers(0, 1 << 40), values),
)
def test_different_records_have_different_seeds(one, other) -> None:
    assert (seed_of(*one) == seed_of(*other)) == (one == other)


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
