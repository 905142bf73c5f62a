"""Requested placements, and equality of requests."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.refusal import Malformed
from meterai.sealing import STAMPS_MAX, Placement
from meterai.stamping.model import read_placements, request_hash

NUMBERS = st.floats(0, 5000, allow_nan=False).map(lambda number: round(number, 3))
PLACEMENTS = st.lists(
    st.builds(Placement, st.integers(-1, 999), NUMBERS, NUMBERS, st.floats(0.1, 500)),
    min_size=1,
    max_size=STAMPS_MAX,
)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["page", "x", "y", "width", "z"]), inner, max_size=5)
    ),
)


@given(JSON)
def test_any_json_is_placements_or_malformed(value: object) -> None:
    try:
        placements = read_placements(json.dumps(value))
    except Malformed:
        return
    assert 1 <= len(placements) <= STAMPS_MAX
    assert all(isinstance(one.page, int) for one in placements)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[null]",
        "{}",
        '{"page": "1", "x": 1, "y": 1}',
        '{"page": 1.5, "x": 1, "y": 1}',
        '{"page": true, "x": 1, "y": 1}',
        '{"page": 1, "x": NaN, "y": 1}',
        '{"page": 1, "x": Infinity, "y": 1}',
        '{"page": 1, "x": 1e999, "y": 1}',
        '{"page": 1, "x": 1, "y": 1, "width": 0}',
        '{"page": 1, "x": 1, "y": 1, "z": 1}',
        "[" * 100_000,
        '{"page":' * 100_000,
        json.dumps([{"page": 1, "x": 1, "y": 1}] * (STAMPS_MAX + 1)),
        "\ud800",
    ],
    ids=lambda text: repr(text[:30]),
)
def test_invalid_placements_are_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read_placements(text)


@given(PLACEMENTS, PLACEMENTS)
def test_requests_with_same_bytes_and_placements_are_equal(
    one: Sequence[Placement], other: Sequence[Placement]
) -> None:
    same = request_hash(b"a" * 32, one) == request_hash(b"a" * 32, other)
    assert same == (list(one) == list(other))
    assert request_hash(b"a" * 32, one) != request_hash(b"b" * 32, one)
