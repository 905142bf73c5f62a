"""File names that are safe to show and to send back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.documents.model import clean_name
from meterai.kit.text import FILE_NAME_LENGTH_MAX


@given(st.none() | st.text(st.characters(exclude_categories=[]), max_size=400))
def test_any_name_becomes_safe(name: str | None) -> None:
    clean = clean_name(name)
    assert 1 <= len(clean) <= FILE_NAME_LENGTH_MAX
    assert "/" not in clean
    assert "\\" not in clean
    assert len(clean.splitlines()) == 1
    clean.encode()
    assert clean not in (".", "..")
    assert clean_name(clean) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (None, "dokumen.pdf"),
        ("", "dokumen.pdf"),
        ("...", "dokumen.pdf"),
        ("surat.pdf", "surat.pdf"),
        ("surat lamaran (Añi).pdf", "surat lamaran (Añi).pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Dokumen\\surat.pdf", "surat.pdf"),
        ('a"; filename=b.pdf\r\nX: y', 'a"; filename=b.pdfX: y'),
        ("gpj.\u202efdp.exe", "gpj.fdp.exe"),
        ("surat\u2028\u0085.pdf", "surat.pdf"),
        ("\ud800\udfff.pdf", "pdf"),
    ],
)
def test_clean_name_returns_expected_name(name: str | None, clean: str) -> None:
    assert clean_name(name) == clean
