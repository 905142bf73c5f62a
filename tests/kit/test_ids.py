"""Identifiers: a shown one is read back, and no other text is accepted."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.ids import ALPHABET, compact, decode, encode, from_compact, new_id, read, show
from meterai.kit.refusal import NotFound
from meterai.kit.text import groups


@given(st.uuids())
def test_shown_id_is_read_back(identifier: UUID) -> None:
    assert from_compact(compact(identifier)) == identifier
    assert read("ord", show("ord", identifier)) == identifier


@given(st.uuids())
def test_id_of_another_kind_is_not_found(identifier: UUID) -> None:
    with pytest.raises(NotFound):
        read("stg", show("ord", identifier))


@given(st.text(max_size=40))
def test_any_text_is_an_id_or_not_found(text: str) -> None:
    for candidate in (text, f"ord_{text}"):
        try:
            found = read("ord", candidate)
        except NotFound:
            continue
        assert show("ord", found) == candidate.replace(" ", "").replace("-", "")


@given(st.uuids(), st.sampled_from([" ", "-", ""]))
def test_id_is_read_in_groups(identifier: UUID, between: str) -> None:
    assert read("ord", between.join(groups(show("ord", identifier)))) == identifier


@given(st.text(alphabet=ALPHABET, min_size=26, max_size=26))
def test_compact_form_beyond_128_bits_is_refused(text: str) -> None:
    if decode(text) >> 128:
        with pytest.raises(ValueError, match="not an identifier"):
            from_compact(text)
    else:
        assert compact(from_compact(text)) == text


@given(st.integers(0, 32**8 - 1))
def test_encoding_is_the_inverse_of_decoding_and_keeps_order(value: int) -> None:
    assert decode(encode(value, 8)) == value
    assert (encode(value, 8) < encode((value + 1) % 32**8, 8)) == (value + 1 < 32**8)


def test_fresh_ids_are_version_7_in_order_and_distinct() -> None:
    made = [new_id() for _ in range(20_000)]
    assert len(set(made)) == len(made)
    assert all(one.version == 7 and one.variant == "specified in RFC 4122" for one in made)
    milliseconds = [one.int >> 80 for one in made]
    assert milliseconds == sorted(milliseconds)
