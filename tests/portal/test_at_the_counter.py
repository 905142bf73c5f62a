"""Unusual input to forms: a refused file among accepted ones, the text of a QR code as a serial."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from meterai.sealing import DOCUMENT_BYTES_MAX
from tests.support.pdf import pdf
from tests.support.walk_in import WalkIn, walk_in

SERIAL, CLAIM = "1QQJXXBQNX00N0WZXZP2FV", "0123456789ABCDEF"


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[WalkIn]:
    with walk_in(database_url, tmp_path) as made:
        yield made


def _document(name: str, content: bytes) -> tuple[str, tuple[str, bytes, str]]:
    return "document", (name, content, "application/pdf")


def test_refused_file_is_named_and_others_are_accepted(visitor: WalkIn) -> None:
    large = b"%PDF-1.7\n" + b"0" * DOCUMENT_BYTES_MAX
    files = [
        _document("besar.pdf", large),
        _document("surat.pdf", pdf(words="surat")),
        _document("besar juga.pdf", large),
        _document("ijazah.pdf", pdf(words="ijazah")),
    ]
    shown = visitor.client.post("/stamp/files", files=files)
    assert shown.status_code == 413
    text = unescape(shown.text)
    assert "besar.pdf, besar juga.pdf: " in text
    page = unescape(visitor.get("/stamp"))
    for name, is_in in (("surat.pdf", True), ("ijazah.pdf", True), ("besar.pdf", False)):
        assert (f'<p class="what name">{name}</p>' in page) == is_in
        assert (f'<p class="what name">{name}</p>' in text) == is_in


def test_text_of_a_code_redirects_like_the_code(visitor: WalkIn) -> None:
    elsewhere = f"HTTPS://ELSEWHERE.EXAMPLE/C/{SERIAL}/{CLAIM}"
    for typed, there in {
        elsewhere: f"/c/{SERIAL}/{CLAIM}?address=elsewhere",
        f" https://elsewhere.example/c/{SERIAL}": f"/c/{SERIAL}?address=elsewhere",
        SERIAL: f"/c/{SERIAL}",
        "1QQJ XXBQ": "/c/1QQJ%20XXBQ",
    }.items():
        shown = visitor.client.get("/check", params={"serial": typed})
        assert (shown.status_code, shown.headers["location"]) == (303, there)
