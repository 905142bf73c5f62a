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
    """Published incidents and maintenance, and current figures of the platform.

    While the database is unavailable, the answer comes from memory, and `at` is the time of its data.
    """
    return await board.status()


routes = [show_status]
