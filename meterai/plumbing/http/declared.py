"""Values that routes declare in their `opt`, found by method and path before the router runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from litestar import Litestar
from litestar.routes import HTTPRoute

Value = TypeVar("Value")


@dataclass(slots=True)
class _Step(Generic[Value]):
    """A node in a tree of URL paths.

    words      the next nodes, by fixed path segment
    parameter  the next node for a segment that is a path parameter
    methods    if a path ends at this node: the declared values by method
    """

    words: dict[str, "_Step[Value]"] = field(default_factory=dict)
    parameter: "_Step[Value] | None" = None
    methods: dict[str, Value] = field(default_factory=dict)


class Declared(Generic[Value]):
    """Values that the routes of an application declare in their `opt`, as a tree of paths. A lookup costs one or two
    microseconds.

    read       function that returns the value for the `opt` of a route; it also gets the method and path for error messages
    otherwise  value for paths that no route has
    """

    def __init__(
        self, app: Litestar, read: Callable[[dict[str, Any], str], Value], otherwise: Value
    ) -> None:
        self._root: _Step[Value] = _Step()
        self._whole: dict[tuple[str, str], Value] = {}  # paths without parameters
        self._otherwise = otherwise
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                words = [one if isinstance(one, str) else None for one in route.path_components]
                for method, (handler, _) in route.route_handler_map.items():
                    if method != "OPTIONS":  # added by the framework
                        name = f"{method} /{'/'.join(word or '*' for word in words)}"
                        self._add(words, method, read(handler.opt, name))

    def _add(self, words: Sequence[str | None], method: str, value: Value) -> None:
        if None not in words:
            self._whole[method, "/" + "/".join(filter(None, words))] = value
        step = self._root
        for word in words:
            if word is None:
                step.parameter = step.parameter or _Step()
                step = step.parameter
            else:
                step = step.words.setdefault(word, _Step())
        step.methods[method] = value

    def of(self, method: str, path: str) -> Value:
        """Return the declared value for a request, or `otherwise` of the constructor if no route has this path."""
        if (found := self._whole.get((method, path))) is not None:
            return found
        step = self._root
        for word in filter(None, path.split("/")):
            following = step.words.get(word) or step.parameter
            if following is None:
                return self._otherwise
            step = following
        return step.methods.get(method, self._otherwise)
