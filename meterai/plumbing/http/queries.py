"""Query parameters, checked as strictly as JSON: a route accepts those that its handler declares, each once.

The API and each route with `opt={"strict_query": True}` are strict. Pages ignore unknown parameters: people open them by links
to which other sites add parameters that nobody can list (`utm_source`, `fbclid`, `igsh`), and the reader sees what the page
shows. A provider's webhook endpoint ignores them too, since a notification about money must not be refused for its address.

No text of ours contains NUL, and PostgreSQL rejects it. So every route refuses an address with a NUL, except a
provider's webhook endpoint, which does not read the query.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from meterai.kit.numbers import counted
from meterai.kit.paging import PAGE_MAX
from meterai.kit.refusal import FIELD_LENGTH_MAX, Malformed, NotFound, Refusal
from meterai.kit.text import NUL, one_line
from meterai.plumbing.http.head import is_api

_DIGITS_MAX = 18  # of 64 bits; the route checks the range
# First row of a page of a list, and its length (kit/paging.py).
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Maximum number of results.")]
Before = Annotated[
    str | None,
    QueryParameter(description=("The `next` of the page before; absent for the first page.")),
]
Reference = Annotated[
    str | None, QueryParameter(description="Only objects with exactly this `reference`.")
]
Since = Annotated[
    str | None,
    QueryParameter(
        description="Only objects made at this moment or later.",
        schema_extra={"format": "date-time"},
    ),
]


class ParameterUnknown(Refusal):
    """The address has a query parameter that its route does not accept; it would otherwise be ignored unnoticed."""

    code = "parameter_unknown"
    status = 422

    def __init__(self, parameter: str, known: list[str]) -> None:
        self.parameter = one_line(parameter[:FIELD_LENGTH_MAX])
        super().__init__(f"the query parameter {self.parameter} is not one of {known}")
        self.known = known


def moment(name: str, text: str) -> datetime:
    """Read a time with its time zone (RFC 3339). Refuses `Malformed`."""
    try:
        found = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise Malformed(name, "moment") from None
    if found.tzinfo is None:
        raise Malformed(name, "moment")
    return found


def check_query(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Check path and query of a request.

    Refuses `NotFound` for a path with a NUL, and `Malformed` for a query with a NUL. On a strict route it also refuses
    `ParameterUnknown` for an undeclared name; `Malformed` for a repeated name, of which some parsers take the first
    value and others the last; and `Malformed` for an integer written as `1e1` or `1.0`, which the framework would
    accept.
    """
    if NUL in connection.scope["path"]:
        raise NotFound("a path contains no NUL")
    handler = connection.route_handler
    query = connection.scope["query_string"].decode("latin-1")
    if "%00" in query or NUL in query:
        has_it = (
            name for name, value in parse_qsl(query, keep_blank_values=True) if NUL in name + value
        )
        raise Malformed(next(has_it, "query"), "text")
    if not query or not isinstance(handler, HTTPRouteHandler) or not _is_strict(connection):
        return
    fields = {
        field.kwarg_definition.name or name: field.annotation
        for name, field in handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }
    seen: set[str] = set()
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in fields:
            raise ParameterUnknown(name, sorted(fields))
        if name in seen:
            raise Malformed(name, "once")
        seen.add(name)
        if fields[name] is int and counted(value.removeprefix("-"), _DIGITS_MAX) is None:
            raise Malformed(name, "whole_number")


def _is_strict(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    return is_api(connection.scope) or "strict_query" in connection.route_handler.opt
