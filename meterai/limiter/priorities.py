"""The priority of a request by its method and path, as the routes declared it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from litestar import Litestar
from litestar.routes import HTTPRoute

from meterai.kit.priority import Priority

OPTION = "priority"  # in `opt` of a route


class PriorityMissing(Exception):
    """A route does not say how near to paid money it is."""


@dataclass(slots=True)
class _Step:
    """What may follow a part of a path: fixed words, a parameter, and methods where it ends."""

    words: dict[str, "_Step"] = field(default_factory=dict)
    parameter: "_Step | None" = None
    methods: dict[str, Priority] = field(default_factory=dict)


class Priorities:
    """A tree of the paths of an application.  Costs a microsecond or two to ask."""

    def __init__(self, app: Litestar) -> None:
        self._root = _Step()
        self._whole: dict[tuple[str, str], Priority] = {}  # paths without parameters
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                words = [one if isinstance(one, str) else None for one in route.path_components]
                for method, (handler, _) in route.route_handler_map.items():
                    self._add(words, method, handler.opt.get(OPTION))

    def _add(self, words: Sequence[str | None], method: str, priority: Priority | None) -> None:
        if method == "OPTIONS":
            return  # the framework's own
        if priority is None:
            raise PriorityMissing(f"{method} /{'/'.join(word or '*' for word in words)}")
        if None not in words:
            self._whole[method, "/" + "/".join(filter(None, words))] = priority
        step = self._root
        for word in words:
            if word is None:
                step.parameter = step.parameter or _Step()
                step = step.parameter
            else:
                step = step.words.setdefault(word, _Step())
        step.methods[method] = priority

    def of(self, method: str, path: str) -> Priority:
        """The priority of a request; `NEW` where there is no such path."""
        if (found := self._whole.get((method, path))) is not None:
            return found
        step = self._root
        for word in filter(None, path.split("/")):
            following = step.words.get(word) or step.parameter
            if following is None:
                return Priority.NEW
            step = following
        return step.methods.get("GET" if method == "HEAD" else method, Priority.NEW)
