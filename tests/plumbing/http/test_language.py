"""The language of an answer."""

from typing import Any

import pytest
from litestar.connection import ASGIConnection

from meterai.accounts import NOBODY
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.language import language_of


@pytest.mark.parametrize(
    ("by", "headers", "language"),
    [
        ("", {}, "id"),
        ("", {"accept-language": "en-GB,id"}, "en"),
        ("session", {"accept-language": "en"}, "id"),
        ("session", {"accept-language": "en", "cookie": "language=en"}, "en"),
        ("api_key", {"accept-language": "en"}, "en"),
        ("api_key", {"accept-language": "id, en"}, "id"),
        ("api_key", {}, "id"),
        ("", {"accept-language": "en", "cookie": "a=b; __Host-language=id; language=en"}, "id"),
        ("", {"cookie": "mylanguage=en"}, "id"),
        ("", {"cookie": "language=fr", "accept-language": "en"}, "en"),
    ],
)
def test_language_comes_from_header_account_or_cookie(
    by: str, headers: dict[str, str], language: str
) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    if by:
        scope["caller"] = Caller(NOBODY, by, "id")
    connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)  # type: ignore[arg-type]
    assert language_of(connection) == language
