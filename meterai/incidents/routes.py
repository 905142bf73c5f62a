"""API of incidents."""

from litestar import get
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.incidents.board import Board
from meterai.incidents.views import StatusView
from meterai.kit.priority import Priority
from meterai.pages import Remembered


@get(
    "/v1/status",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "remembered": Remembered(1.0),
        "strict_query": True,
    },
    summary="Status of the platform",
    tags=["status"],
)
async def show_status(board: NamedDependency[Board]) -> StatusView:
    """Incidents and maintenance that staff published, and the numbers that people ask for.

    Answered from memory while the database is away, with the moment of what is known.
    """
    return await board.status()


routes = [show_status]
