"""The headers of a request, parsed once."""

from typing import Any

_KEPT = "meterai.head"  # name under which the scope of a request keeps its `Head`


class Head:
    """Headers by name; ASGI gives names in lower case. If a header has several lines, the value of the first line is used.

    size     bytes of address and headers together
    doubled  names that occur more than once
    """

    __slots__ = ("doubled", "size", "values")

    def __init__(self, scope: Any) -> None:
        size = len(scope["raw_path"]) + len(scope["query_string"])
        values: dict[bytes, bytes] = {}
        doubled = set()
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name in values:
                doubled.add(name)
            else:
                values[name] = value
        self.size = size
        self.values = values
        self.doubled = doubled

    def text(self, name: bytes) -> str:
        """Return the value of a header; empty if the request has none."""
        return self.values.get(name, b"").decode("latin-1")


def head_of(scope: Any) -> Head:
    """Return the headers of a request, parsed at the first call."""
    found: Head | None = scope.get(_KEPT)
    if found is None:
        found = scope[_KEPT] = Head(scope)
    return found


def is_api(scope: Any) -> bool:
    """True if the path belongs to the JSON API."""
    found: bool = scope["path"].startswith("/v1/")
    return found
