"""The headers of a request, looked through once."""

from typing import Any

_KEPT = "meterai.head"  # where the scope of a request keeps its own


class Head:
    """Headers by their names, which ASGI gives in lower case.  Of several lines of one the first.

    size     bytes of address and headers together
    doubled  names that came more than once
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
        """The value of a header, empty where there is none."""
        return self.values.get(name, b"").decode("latin-1")


def head_of(scope: Any) -> Head:
    """The head of a request."""
    found: Head | None = scope.get(_KEPT)
    if found is None:
        found = scope[_KEPT] = Head(scope)
    return found


def is_api(scope: Any) -> bool:
    """True under the JSON API."""
    found: bool = scope["path"].startswith("/v1/")
    return found
