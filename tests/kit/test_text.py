"""Text from outside becomes one visible line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.text import QUOTED_LENGTH_MAX, isolated, one_line, quoted, shown, without_isolates

UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
ANYTHING = st.text(st.characters(exclude_categories=[]))  # surrogates too


@given(ANYTHING)
def test_any_text_becomes_one_line(text: str) -> None:
    clean = one_line(text)
    assert not {letter for letter in clean if unicodedata.category(letter) in UNSEEN}
    assert len(clean.splitlines()) <= 1
    clean.encode()
    assert clean == clean.strip()
    assert one_line(clean) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("surat\u2028lamaran", "suratlamaran"),
        ("surat\x85lamaran", "suratlamaran"),
        ("gpj.\u202efdp", "gpj.fdp"),
        ("a\u00a0\u3000 b", "a b"),
        ("\ufeffa\u200bb\u2069", "ab"),
        ("\ud800a", "a"),
        ("e\u0301", "\u00e9"),
        ("Surat Añi", "Surat Añi"),
    ],
)
def test_texts_become_one_line(text: str, clean: str) -> None:
    assert one_line(text) == clean


def test_invisible_characters_are_shown_as_escapes() -> None:
    assert shown("a\x1b[2J\u202eb\udcff\nc\td") == "a\\u001b[2J\\u202eb\\udcff\nc\td"
    assert shown("Jl. Mawar \N{NUMERO SIGN} 5 \u65e5") == "Jl. Mawar \N{NUMERO SIGN} 5 \u65e5"


@given(st.text(max_size=300))
def test_quoted_text_is_a_short_visible_line(text: str) -> None:
    found = quoted(text)
    assert 0 < len(found) <= QUOTED_LENGTH_MAX
    assert one_line(found) == found
    assert found.endswith("…") or found == one_line(text)
    assert without_isolates(isolated(text)) == found
