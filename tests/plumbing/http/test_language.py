"""Which language an answer is in."""

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
    ],
)
def test_a_program_names_the_language_and_a_browser_has_that_of_its_account(
    by: str, headers: dict[str, str], language: str
) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    if by:
        scope["caller"] = Caller(NOBODY, by, "id")
    connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)  # type: ignore[arg-type]
    assert language_of(connection) == language
