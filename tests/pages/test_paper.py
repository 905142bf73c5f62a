"""The file attached to a receipt: other PDF readers find it unchanged; a receipt without one has none."""

import io
from dataclasses import replace

import pikepdf
import pytest

from meterai.pages.paper import Attached, PaperLine, Receipt, attached, written

JSON = "application/json"
RECEIPT = Receipt("Judul (uji)", "id", [PaperLine("label", "nilai"), PaperLine("", "kalimat")])


@pytest.mark.parametrize(
    "content", [b"", b'{"a": 1}', b">>stream\nendstream\nendobj " * 9, bytes(range(256))]
)
def test_attached_file_is_found_unchanged_by_us_and_by_another_reader(content: bytes) -> None:
    file = written(replace(RECEIPT, attached=Attached("out_(1).json", JSON, content)))
    assert attached(file, JSON) == content
    with pikepdf.open(io.BytesIO(file)) as opened:
        [name] = opened.attachments
        assert name == "out_(1).json"
        assert opened.attachments[name].get_file().read_bytes() == content
        assert opened.attachments[name].get_file().mime_type == JSON
        assert opened.check_pdf_syntax() == []
