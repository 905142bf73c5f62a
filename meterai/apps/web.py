"""The web application: the routes of every room, answers to errors, and health checks."""

import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import chain
from typing import Any

import structlog
from litestar import Litestar, Request, Response, Router, get
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp

from meterai import __version__, pages
from meterai.accounts import AccountService, Permission, require_permission
from meterai.apps.container import build_services
from meterai.apps.edge import admitted
from meterai.apps.openapi import Description
from meterai.apps.rooms import ROOMS, examples_of, introduce, pages_of, services_of
from meterai.apps.settings import load
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.limiter import Limiter
from meterai.plumbing.config import Settings
from meterai.plumbing.db.migrations import names
from meterai.plumbing.http.bodies import Bodies
from meterai.plumbing.http.callers import injected
from meterai.plumbing.http.problems import on_fault, on_http_exception, on_refusal
from meterai.plumbing.http.requests import BoundedRequest
from meterai.plumbing.http.throttle import Throttle
from meterai.plumbing.observe import logs
from meterai.plumbing.observe.metrics_port import showing_metrics
from meterai.plumbing.observe.shared_metrics import join
from meterai.plumbing.parent import die_with_parent
from meterai.plumbing.queueing import Queueing
from meterai.room import Container, Rooms

_log = structlog.get_logger()

BODY_BYTES_MAX = 1024 * 1024  # body of a request whose route sets no limit; JSON is far smaller
UPLOADS = "uploads"  # folder in the data directory for incoming bodies, in files without names
# Longest time for which a thread may hold the interpreter lock while the event loop waits.
SWITCH_SECONDS = 0.0005
YOUNG_OBJECTS_MAX = 10_000  # new objects (some megabytes) after which the garbage collector runs

API = """
Sell, issue, affix, check and refund electronic stamps.

Commands that change money or stamps need an `Idempotency-Key`: a repeat with the same key gets the
same answer, never a second charge. Refusals are `application/problem+json` (RFC 9457) with a
stable `code`.
"""


@get(
    "/healthz",
    opt={"permission": Permission.PUBLIC, "priority": Priority.MONEY, "strict_query": True},
    include_in_schema=False,
    media_type="text/plain",
)
async def healthz() -> str:
    """Health check: the process answers."""
    return "ok"


@get(
    "/readyz",
    opt={"permission": Permission.PUBLIC, "priority": Priority.MONEY, "strict_query": True},
    include_in_schema=False,
)
async def readyz(request: Request[Any, Any, Any]) -> Response[dict[str, object]]:
    """Readiness check: the database answers and is migrated, and every check that a room registered holds.

    Warnings of rooms and the result of the last nightly audit are in the answer, but do not change its status.
    """
    container: Container = request.app.state.container
    checks: dict[str, object] = {}
    try:
        rows = await container.database.read("SELECT name FROM applied_migrations ORDER BY name")
        checks["database"] = "ok"
        applied = [row["name"] for row in rows]
        # The database may have newer migrations: each migration suits the previous version too, which
        # runs until it is replaced.
        checks["migrations"] = "ok" if set(applied) >= set(names()) else "missing"
    except Exception as fault:  # any fault means not ready
        checks["database"] = _code_of(fault)
    rooms: Rooms = request.app.state.rooms
    for room in rooms:
        for name, check in room.ready.items():
            checks[name] = await _outcome(check(container))
    is_ready = "migrations" in checks and set(checks.values()) == {"ok"}
    for name, warn in ((name, warn) for room in rooms for name, warn in room.warns.items()):
        with suppress(Exception):  # an unreachable database is reported above
            if told := await warn(container):
                checks[name] = told
    return Response(checks, status_code=200 if is_ready else 503)


async def _outcome(check: Awaitable[None]) -> str:
    try:
        await check
    except Exception as fault:  # any fault means not ready
        return _code_of(fault)
    return "ok"


def _code_of(fault: Exception) -> str:
    return fault.code if isinstance(fault, Refusal) else "fault"


@get(
    "/openapi.json",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW, "strict_query": True},
    include_in_schema=False,
)
async def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return the API description as OpenAPI 3.1."""
    described: Description = request.app.state.description
    return await described.ready()


OWN = (healthz, readyz, openapi)


@asynccontextmanager
async def _opened(settings: Settings, rooms: Rooms, queueing: Queueing) -> AsyncIterator[Container]:
    """Yield the services of the application. If they cannot be built, log the reason, because the server does not log
    it.
    """
    async with AsyncExitStack() as stack:
        try:
            container = await stack.enter_async_context(
                build_services(settings, rooms, queueing=queueing)
            )
        except Exception as fault:
            _log.critical("web_not_started", fault=repr(fault), exc_info=True)
            raise
        yield container


def spare_the_collector() -> None:
    """Reduce the work of the garbage collector on the long-lived application.

    Objects that exist now live as long as the process, so they are frozen. A request leaves few reference cycles, so
    the threshold of young objects is raised. This saves some 8 % of the processor time of an order.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 10, 10)


def let_the_loop_in() -> None:
    """Make threads that read documents release the interpreter lock sooner than by default (5 ms).

    The event loop needs the lock in each iteration, and an answer takes some twenty iterations. While one such thread
    runs, an iteration takes 0.7 ms instead of 8 to 10 ms, which the limiter would regard as overload.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def _described() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="meterai",
        use_handler_docstrings=True,
        version=__version__,
        description=API,
        components=Components(
            security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}
        ),
        security=[{"key": []}],
        openapi_router=Router(
            "/openapi",
            route_handlers=[],  # only the framework's handlers
            opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
            include_in_schema=False,
        ),
        render_plugins=[JsonRenderPlugin(path="/json")],
    )


def _give_at_once(app: Litestar) -> None:
    """Resolve all parameters of a route in one step.

    The framework starts a task for each independent parameter, and parses the request for each. Our parameters are
    computed from the request without waiting, so no tasks are needed.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                assert handler.resolve_before_request() is require_permission, "it is open to all"
                asked = {
                    one.key: one.provide for batch in model.dependency_batches for one in batch
                }
                model.dependency_batches = []
                if asked:
                    model.extractors.append(_giving(asked))


def _giving(asked: dict[str, Provide]) -> Callable[..., Awaitable[None]]:
    found = [(name, one.dependency) for name, one in asked.items()]

    async def give(values: dict[str, Any], request: Request[Any, Any, Any]) -> None:
        for name, of_request in found:
            values[name] = of_request(request)

    return give


class _Application(Litestar):
    """An application that looks at each of its routes once. The framework builds the map of all routes anew for each one
    that it registers, which took a tenth of a start.
    """

    def __init__(self, **options: Any) -> None:
        self._known: dict[str, BaseRoute] = {}
        self._handlers: dict[str, dict[Any, Any]] = {}
        super().__init__(**options)

    @property
    def route_handler_method_map(self) -> dict[str, dict[Any, Any]]:
        """Handlers by path and method, of the routes registered so far."""
        for route in self.routes:
            if self._known.get(route.path) is not route:
                assert isinstance(route, HTTPRoute), "no other kind of route is served"
                self._known[route.path] = route
                self._handlers[route.path] = {
                    method: handler
                    for handler in route.route_handlers
                    for method in handler.http_methods
                }
        return self._handlers


def assembled(rooms: Rooms = ROOMS) -> Litestar:
    """Return the application of these rooms, without settings: `start_with` gives it some before each start."""
    introduce(rooms)
    app = _Application(
        route_handlers=[
            *OWN,
            *chain.from_iterable(room.routes for room in rooms),
            *pages.static_files(Permission.PUBLIC),
        ],
        dependencies=injected(services_of(rooms)),
        request_class=BoundedRequest,
        before_request=require_permission,  # a guard of the framework would copy the route for each request
        lifespan=[_running],
        state=State(
            {
                "rooms": rooms,
                "site": pages.Site(*pages_of(rooms)),
                "examples": examples_of(rooms),
            }
        ),
        exception_handlers={
            Refusal: pages.page_or_problem(on_refusal),
            HTTPException: pages.page_or_problem(on_http_exception),
            Exception: pages.page_or_problem(on_fault),
        },
        openapi_config=_described(),
        request_max_body_size=BODY_BYTES_MAX,
        response_cache_config=ResponseCacheConfig(),
        logging_config=None,
        debug=False,
    )
    _give_at_once(app)
    return app


@asynccontextmanager
async def _running(app: Litestar) -> AsyncIterator[None]:
    """Services of the application from its start to its end."""
    state = app.state
    async with (
        _opened(state.settings, state.rooms, state.queueing) as container,
        showing_metrics(state.settings),
        state.limiter.watching(),
    ):
        container.stations.add(state.limiter.station)
        state.container = container
        state.services = container.services() | {
            Bodies: Bodies(
                state.settings.process.directory / UPLOADS,
                state.settings.process.uploads_bytes_max,
            ),
            Limiter: state.limiter,
            pages.Site: state.site,
        }
        state.authenticator = container.of(AccountService)
        state.site.load_all()
        for room in state.rooms:
            room.shows(container, state.site)
        yield


def start_with(app: Litestar, settings: Settings) -> ASGIApp:
    """Give the application its settings, for its next start. Return it with everything that is in front of it."""
    queueing = Queueing()
    app.state.site.start_over()
    app.state.update(
        {
            "settings": settings,
            "queueing": queueing,
            "limiter": Limiter(queueing),
            "throttle": Throttle(),
            "description": Description(app, settings.process.url, app.state.rooms),
        }
    )
    return admitted(app, settings)


def create() -> ASGIApp:
    """Return the application of one web process; Granian calls it."""
    die_with_parent()
    join()  # gathers the metrics of a replaced process, which may have been killed
    settings = load().settings
    logs.configure(
        level=settings.process.log_level,
        as_json=settings.process.environment == "production",
        who="web",
        with_values=settings.process.log_values,
    )
    app = assembled()
    # Done here and not in `assembled`: a process that starts several applications (tests) would freeze their garbage.
    app.on_startup += [spare_the_collector, let_the_loop_in]
    return start_with(app, settings)
