"""Registration of the room `portal`: everything that it offers to the applications, as a `Room`."""

from meterai.portal.pages import PAGES
from meterai.portal.personal import PERSONAL
from meterai.portal.routes import routes
from meterai.portal.watching import OrderWatch
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    container.add(OrderWatch(container.database))


ROOM = Room(
    name="portal",
    build=_build,
    services={"watch": OrderWatch},
    routes=routes,
    pages=PAGES,
    personal=PERSONAL,
)
