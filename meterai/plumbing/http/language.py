"""The language in which a request is answered."""

from typing import Any

from litestar.connection import ASGIConnection

from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.requests import HOST_PREFIX


def language_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Indonesian, unless the reader asked for English: cookie, account (not of a key), Accept-Language."""
    caller = connection.scope.get("caller")
    chosen = connection.cookies.get(HOST_PREFIX + "language", connection.cookies.get("language"))
    if chosen in ("id", "en"):
        return chosen
    accepted = connection.headers.get("accept-language", "").strip().lower()
    if isinstance(caller, Caller) and not (caller.by == "api_key" and accepted):
        return caller.language
    return "en" if accepted.startswith("en") else "id"
