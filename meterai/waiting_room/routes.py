"""Routes of the API for waiting lines."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.language import language_of
from meterai.waiting_room.model import NumberNotServed, WaitingLine
from meterai.waiting_room.service import WaitingRoom, moment


class LineView(msgspec.Struct, frozen=True):
    """A waiting line: the act that it guards, and its current state.

    `stands_in_the_way` is false while nobody has to wait.  `serving` is the highest number that was called, `last` the
    highest number that somebody has, and `per_second` the number of places called per second.  `reason` is a text for
    people about a pause, in the requested language.
    """

    name: str
    act: str
    state: str
    stands_in_the_way: bool
    is_paused: bool
    serving: int
    last: int
    per_second: float
    reason: str
    opens_at: datetime | None
    closes_at: datetime | None


class PlaceView(msgspec.Struct, frozen=True):
    """A place in a line.

    `wait_low_seconds` and `wait_high_seconds` are the range of the waiting time, null if it cannot be estimated.
    """

    line: str
    number: int
    ticket: str
    taken_at: datetime
    serving: int
    wait_low_seconds: int | None
    wait_high_seconds: int | None


class TurnView(msgspec.Struct, frozen=True):
    """The right to do the act that a line guards; send `turn` in the header `Waiting-Turn`."""

    line: str
    number: int
    turn: str
    until: datetime


class TurnRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket of a place whose number was called."""

    ticket: str


def _view(line: WaitingLine, language: str) -> LineView:
    return LineView(
        line.name,
        line.act,
        line.state,
        line.stands_in_the_way,
        line.is_paused,
        line.serving,
        line.next_number - 1,
        round(line.flow_fast, 3),
        line.reason(language),
        line.opens_at,
        line.closes_at,
    )


@get(
    "/v1/lines/{name:str}",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "described": Described(refuses=(404,)),
    },
    summary="Show a line",
    tags=["lines"],
)
async def show_line(
    request: Request[Any, Any, Any], name: FromPath[str], lines: NamedDependency[WaitingRoom]
) -> LineView:
    """Return the current state of a line; its signed document is at `/lines/{name}/now-serving.json`."""
    await lines.look()
    return _view(lines.line(name), language_of(request))


@post(
    "/v1/lines/{name:str}/places",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "described": Described(
            repeats="An account has one place, until its turn was used.", refuses=(404,)
        ),
    },
    status_code=200,
    summary="Take a place in a line",
    tags=["lines"],
)
async def take_place(
    name: FromPath[str], lines: NamedDependency[WaitingRoom], account: NamedDependency[UUID]
) -> PlaceView:
    """Take a place in a line for your account.

    A repeated request returns the same place until its turn was used.
    """
    await lines.look()
    line = lines.line(name)
    ticket = await lines.place_of(line, account)
    shown = lines.range_of(line, ticket.number, is_spaced=ticket.serial > 0)
    return PlaceView(
        line.name,
        ticket.number,
        lines.tokens.ticket(ticket),
        moment(ticket.taken_at),
        line.serving,
        shown.low if shown else None,
        shown.high if shown else None,
    )


@post(
    "/v1/lines/{name:str}/turns",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "described": Described(repeats="A ticket gets one turn.", refuses=(400, 404)),
    },
    status_code=200,
    summary="Use your turn",
    tags=["lines"],
)
async def come_in(
    name: FromPath[str],
    lines: NamedDependency[WaitingRoom],
    account: NamedDependency[UUID],
    data: JSONBody[TurnRequest],
) -> TurnView:
    """Return the turn of your account, once the number of its ticket was called.

    A repeated request returns the same turn.
    """
    await lines.look()
    line = lines.line(name)
    ticket = lines.read_ticket(line, data.ticket)
    is_called = line.stands_in_the_way and ticket.number <= line.serving
    if is_called and not lines.admits(line, ticket):
        raise NumberNotServed(
            f"the number {ticket.number} of the line {line.name} is not admitted at this moment"
        )
    turn = await lines.come_in_as(line, account, ticket)
    return TurnView(line.name, turn.number, lines.tokens.turn(turn), moment(turn.until))


routes = (show_line, take_place, come_in)
