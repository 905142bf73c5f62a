"""The priority of a request by its method and path, as the routes declared it."""

from typing import Any

from litestar import Litestar

from meterai.kit.priority import Priority
from meterai.plumbing.http.declared import Declared

OPTION = "priority"  # in `opt` of a route


class PriorityMissing(Exception):
    """A route does not say how near to paid money it is."""


def _read(options: dict[str, Any], name: str) -> Priority:
    if (found := options.get(OPTION)) is None:
        raise PriorityMissing(name)
    return Priority(found)


class Priorities(Declared[Priority]):
    """Priorities of an application's paths; `NEW` where there is no such path."""

    def __init__(self, app: Litestar) -> None:
        super().__init__(app, _read, Priority.NEW)
