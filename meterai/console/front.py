"""Gate of the console: to a network outside `console_networks`, paths of the console do not exist.

The gate runs before the application and its limiter. So no status, method of a path, priority of a request or
redirect to the sign-in reveals the console.
"""

from collections.abc import Sequence

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.types import HTTPScope

from meterai.console.settings import ConsoleSettings
from meterai.pages import SHUT, is_at_desk
from meterai.plumbing.config import Settings
from meterai.plumbing.http.front import GoOn, Step, Visit
from meterai.plumbing.http.requests import address_of
from meterai.plumbing.networks import networks_of

NOWHERE = "/console-is-shut"  # a path that no route has


class ConsoleGate:
    """Passes requests on; a request for the console from outside `console_networks` is changed to a request for
    an unknown path.
    """

    def __init__(self, settings: Settings) -> None:
        of = settings.of(ConsoleSettings)
        told = of.console_networks if of.console_is_served else ""
        self._networks = networks_of("console_networks", told)
        self._proxies = settings.process.proxies

    async def __call__(self, visit: Visit, go_on: GoOn) -> None:
        """Pass a request on; if it is for the console, which is hidden from its network, replace its path by an
        unknown path.
        """
        scope = visit.scope
        if is_at_desk(scope["path"]) and not self._is_open(scope):
            scope[SHUT] = scope["path"]  # type: ignore[literal-required]
            scope["path"] = NOWHERE
        await go_on(visit)

    def _is_open(self, scope: HTTPScope) -> bool:
        address = address_of(ASGIConnection(scope), self._proxies)
        return address is not None and any(address in one for one in self._networks)


def step(
    _application: Litestar, settings: Settings, _headers: Sequence[tuple[bytes, bytes]]
) -> Step:
    """Return the gate of the console as a step that each request passes before it reaches the application."""
    return ConsoleGate(settings)
