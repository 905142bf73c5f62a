"""Priority of a request by its method and path, as declared by the routes."""

from typing import Any

from litestar import Litestar

from meterai.kit.priority import Priority
from meterai.plumbing.http.declared import Declared

OPTION = "priority"  # name in `opt` of a route


class PriorityMissing(Exception):
    """A route declares no priority."""


def _read(options: dict[str, Any], name: str) -> Priority:
    if (found := options.get(OPTION)) is None:
        raise PriorityMissing(name)
    return Priority(found)


class Priorities(Declared[Priority]):
    """The priority of each path of an application; `NEW` for an unknown path."""

    def __init__(self, app: Litestar) -> None:
        super().__init__(app, _read, Priority.NEW)
