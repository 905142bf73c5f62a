"""What comes after the `?` of an address of the API, as strictly as its JSON."""

from typing import Annotated, Any
from urllib.parse import parse_qsl

from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed
from meterai.plumbing.head import is_api
from meterai.plumbing.paging import PAGE_MAX

_DIGITS_MAX = 18  # of 64 bits; which of them may be meant is for the route to say
# Where a page of a list begins and how long it is (plumbing/paging.py).
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="At most so many.")]
Before = Annotated[
    str | None, QueryParameter(description="The `next` of the page before; left out for the first.")
]


def check_query(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuses `Malformed`: a name that the route reads and that comes twice, of which one reader
    takes the first and another the last; an integer that is not written as one (`1e1`, `1.0`),
    which the framework would take.
    """
    handler = connection.route_handler
    query = connection.scope["query_string"].decode("latin-1")
    if not query or not isinstance(handler, HTTPRouteHandler) or not is_api(connection.scope):
        return
    fields = handler.parsed_fn_signature.parameters
    seen: set[str] = set()
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in fields:
            continue
        if name in seen:
            raise Malformed(name, "once")
        seen.add(name)
        if fields[name].annotation is int and counted(value.removeprefix("-"), _DIGITS_MAX) is None:
            raise Malformed(name, "whole_number")
