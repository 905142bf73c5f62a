"""Headers of an upload."""

import pytest
from litestar.datastructures import Headers

from meterai.drafts import wire
from meterai.kit.refusal import Malformed


def headers(**told: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in told.items()})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("inline; filename*=UTF-8''surat%20kuasa%20%E2%82%AC.pdf", "surat kuasa €.pdf"),
        ('inline; filename="a \\"b\\".pdf"', 'a "b".pdf'),
        ("attachment;filename=a.pdf", "a.pdf"),
        ("inline; filename=\"b.pdf\"; filename*=utf-8'id'a.pdf", "a.pdf"),
        ("inline", ""),
    ],
)
def test_content_disposition_returns_expected_name(text, name):
    assert wire.file_name_in(headers(content_disposition=text)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "; filename=a",
        "inline filename=a",
        "inline; filename",
        "inline; filename*=a.pdf",
        "inline; filename*=UTF-8''%ff",
        "inline; filename*=ISO-8859-1''a",
        'inline; filename="a',
        "inline; filename=a b",
    ],
)
def test_content_disposition_without_valid_name_is_refused(text):
    with pytest.raises(Malformed):
        wire.file_name_in(headers(content_disposition=text))
