"""Cookie of a kept form: bounded, and ignored if malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.pages.kept import LENGTH_MAX, KeptForm


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_kept_form_round_trips(fields: dict[str, str]) -> None:
    kept = KeptForm("/buy", "ani", fields)
    assert KeptForm.read(kept.text()) == kept


@given(st.text(max_size=5_000))
def test_cookie_of_a_kept_form_is_bounded(typed: str) -> None:
    text = KeptForm("/buy", "ani", {"quantity": typed}).text()
    assert len(text) <= LENGTH_MAX
    read = KeptForm.read(text)
    assert read is not None
    assert read.fields in ({"quantity": typed}, {}), "whole or not at all"


@pytest.mark.parametrize(
    "text", ["", "x", "é", "bnVsbA", "W10", "WzEsMiwze11d", "WyIvIiwiIixbXV0", "A" * 3_000]
)
def test_malformed_cookie_of_a_kept_form_is_ignored(text: str) -> None:
    assert KeptForm.read(text) is None


def test_kept_form_is_for_one_page_and_one_person() -> None:
    kept = KeptForm("/buy", "ani", {})
    assert kept.is_for("/buy", "ani")
    assert not kept.is_for("/buy", "budi")
    assert not kept.is_for("/account", "ani")
