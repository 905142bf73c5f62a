"""Registration of the room."""

from collections.abc import Sequence

from litestar import Litestar

from meterai.accounts import AccountService
from meterai.plumbing.config import Settings
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.http.front import Step
from meterai.plumbing.observe.telemetry import METHODS
from meterai.requests import pages
from meterai.requests.audited import AUDITED
from meterai.requests.front import Noting
from meterai.requests.knows import KNOWS
from meterai.requests.metrics import METRICS
from meterai.requests.model import OTHER_METHOD
from meterai.requests.personal import PERSONAL
from meterai.requests.retention import RETENTION
from meterai.requests.routes import routes
from meterai.requests.service import RequestLog
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    log = RequestLog(container.database, container.of(AccountService), container.clock)
    container.add(log)
    container.close_with(log.close)


def _step(
    application: Litestar, _settings: Settings, _headers: Sequence[tuple[bytes, bytes]]
) -> Step:
    return Noting(application)


ROOM = Room(
    name="requests",
    tables=frozenset({"api_requests"}),
    build=_build,
    services={"request_log": RequestLog},
    routes=(*routes, *pages.routes),
    pages=pages.PAGES,
    fields={("RequestView", "method"): FieldDescription([*sorted(METHODS), OTHER_METHOD])},
    step=_step,
    knows=KNOWS,
    personal=PERSONAL,
    metrics=METRICS,
    audited=AUDITED,
    retention=RETENTION,
)
