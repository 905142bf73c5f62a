"""Pages of incidents for staff: the list, and one incident with forms for its levers (staff actions).

The forms lead to the pages of the levers, which show a forecast first.
"""

from typing import Any, get_args

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import orders, payments
from meterai.accounts import Permission
from meterai.incidents import store
from meterai.incidents.board import Board
from meterai.incidents.levers import UNAFFECTED, SeverityWord, StateWord
from meterai.incidents.model import NOTE_LIVES, Incident, IncidentKind, IncidentState
from meterai.incidents.pages import number
from meterai.incidents.steps import one
from meterai.incidents.views import in_order
from meterai.kit.components import Component
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.db.database import Database

HERE = "/console/incidents"
_OPTIONS = {"permission": Permission.CONSOLE_INCIDENTS, "priority": Priority.PAID}
LISTED_MAX = 100
_WORKED_ON = (IncidentState.INVESTIGATING, IncidentState.IDENTIFIED, IncidentState.MONITORING)


async def _list(request: PageRequest, database: Database, board: Board, chosen: str = "") -> Page:
    now = board.now()
    async with database.reading() as tx:
        found = {each.id: each for each in await store.open_now(tx)}
        found |= {each.id: each for each in await store.newest(tx, LISTED_MAX)}
        proposed = await store.unexplained(tx)
        notes = await store.notes(tx, now - NOTE_LIVES, LISTED_MAX)
    return page(
        request,
        "incidents/console_list.html",
        incidents=in_order(found.values()),
        proposed=proposed,
        notes=notes,
        chosen=chosen,
        now=now,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {
        "components": list(Component),
        "states": get_args(StateWord),
        "severities": get_args(SeverityWord),
        "unaffected": UNAFFECTED,
    }


@get(HERE, opt=_OPTIONS, include_in_schema=False)
async def list_incidents(
    request: PageRequest, database: NamedDependency[Database], board: NamedDependency[Board]
) -> Page:
    """List incidents, open ones first, with the watchers' proposals for updates and forms for new incidents and maintenance."""
    return await _list(request, database, board)


@get(f"{HERE}/{{shown:str}}", opt=_OPTIONS, include_in_schema=False)
async def show_incident(
    request: PageRequest,
    database: NamedDependency[Database],
    board: NamedDependency[Board],
    shown: FromPath[str],
) -> Page:
    """Show one incident: payments during the incident, money in flight, open refunds, and forms for its levers (staff actions).

    If the path has the name of a component instead of an incident, show the list with a form for a new incident about it.
    """
    if shown in list(Component):
        return await _list(request, database, board, shown)
    async with database.reading() as tx:
        incident = await one(tx, number(shown))
        until = incident.resolved_at or board.now()
        notes = await store.notes(tx, board.now() - NOTE_LIVES, LISTED_MAX)
        taken = request.query_params.get("note", "")
        return page(
            request,
            "incidents/console_incident.html",
            incident=incident,
            is_planned=incident.kind is IncidentKind.MAINTENANCE,
            paid=await orders.paid_within(tx, incident.started_at, until),
            in_flight=await orders.in_flight(tx),
            back=await payments.refunds_open_now(tx),
            worked_on=_WORKED_ON if incident.state in _WORKED_ON else (),
            acts=_acts(incident),
            notes=[each for each in notes if each.component in incident.components],
            note=next((each for each in notes if each.source == taken), None),
            **_words(),
        )


def _acts(incident: Incident) -> list[str]:
    """Return the names of the levers (staff actions) that the state of an incident allows."""
    if incident.kind is IncidentKind.MAINTENANCE:
        by_state = {
            IncidentState.ANNOUNCED: ["update", "cancel"],
            IncidentState.UNDER_WAY: ["update", "resolve"],
        }
        return by_state.get(incident.state, [])
    return ["update", "resolve"] if incident.is_open else ["review"]


routes = [list_incidents, show_incident]
