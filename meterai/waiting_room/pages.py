"""Pages of a waiting line that the application serves: coming in, keeping a place with an account, proof of a place."""

from contextlib import suppress
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import File

from meterai.accounts import Permission
from meterai.draw import public_file
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal, SignInRequired
from meterai.pages import (
    Page,
    PageRequest,
    RoomPages,
    known_visitor,
    local_path,
    page,
    read_form,
    read_own_form,
    see_other,
    sentence,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import cookie_name, saved_as
from meterai.waiting_room.cookies import ticket_cookie, turn_cookie
from meterai.waiting_room.gathering import NO_NUMBER
from meterai.waiting_room.model import (
    BROWSER_HOLDS_SECONDS,
    PATH,
    TURN_SECONDS_MAX,
    GuardedAct,
    LineState,
    LineUnknown,
    NotLetIn,
    NumberNotServed,
    TicketInvalid,
    TurnNotYours,
    TurnOver,
    WaitingLine,
    WaitInLine,
)
from meterai.waiting_room.page import grouped
from meterai.waiting_room.service import WaitingRoom
from meterai.waiting_room.tokens import Ticket, Turn

PAGES = RoomPages(
    "waiting_room",
    "meterai.waiting_room",
    unlisted={"/lines/.*": "of one line, or of who waits in it"},
)


def next_path_of(wanted: str) -> str:
    """Return the local path to which the visitor goes after the waiting line.

    A path of a line, or of another site, is replaced by `/`.
    """
    there = local_path(wanted)
    return "/" if there.startswith(PATH) else there


def _set(settings: Settings, answer: Page, name: str, value: str, seconds: int) -> None:
    process = settings.process
    answer.set_cookie(
        Cookie(
            cookie_name(name, process),
            path="/",
            value=value,
            max_age=seconds,
            secure=process.is_secure,
            httponly=True,
        )
    )


def _numbered(request: PageRequest, room: WaitingRoom, line: WaitingLine) -> Ticket | None:
    """Return the ticket of the request, if it has a number; the ticket of an entry in a draw has none yet."""
    ticket = room.ticket_shown(request.scope, line)
    return ticket if ticket and ticket.number != NO_NUMBER else None


async def _line(room: WaitingRoom, name: str) -> WaitingLine | None:
    """Return the waiting line of this name; None if it has ended or never existed."""
    await room.look()
    with suppress(LineUnknown):
        return room.line(name)
    return None


def _redirect_past(name: str, there: str) -> Page:
    """Redirect the visitor of an ended waiting line to `there`, or to the page that says that the line has ended."""
    return see_other(there if there != "/" else f"{PATH}/{quote(name, safe='')}")


def _page_of(line: WaitingLine, there: str) -> Page:
    return see_other(f"{PATH}/{line.name}?{urlencode({'next': there})}")


def _turn_over_page(request: PageRequest, line: str, refusal: Refusal, there: str) -> Page:
    return page(
        request,
        "waiting_room/turn_over.html",
        status=refusal.status,
        text=sentence(refusal, language_of(request)),
        path=f"{PATH}/{line}",
        there=there,
    )


def into_line(request: PageRequest, refusal: NotLetIn, there: str) -> Page:
    """Redirect a visitor who was refused for lack of a turn into the waiting line, and after the line to the path `there`.

    If the visitor had a turn that has expired, or that another account used in this browser, a page explains this first.
    Without this page the visitor, whose number was called already, would take the new wait for a fault.
    """
    if isinstance(refusal, WaitInLine):
        return see_other(refusal.join_for(there))
    return _turn_over_page(request, refusal.line, refusal, there)


async def _turn_of(
    request: PageRequest, lines: WaitingRoom, line: WaitingLine, ticket: Ticket
) -> Turn:
    """Give the visitor the turn of a ticket whose number was called, and return this turn.

    A turn to buy requires an account, and an account has one turn.  Refuses `SignInRequired`, and whatever
    `WaitingRoom.come_in` refuses.
    """
    if line.act != GuardedAct.BUY:
        return await lines.come_in(line, ticket)
    caller = await known_visitor(request)
    if caller is None:
        raise SignInRequired("a turn to buy needs a sign-in")
    return await lines.come_in_as(line, caller.account, ticket)


@get(
    "/lines/{name:str}/enter",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def enter(
    request: PageRequest,
    name: FromPath[str],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Let a visitor in if the number was called; redirect any other visitor to the waiting page."""
    there = next_path_of(request.query_params.get("next", ""))
    line = await _line(lines, name)
    if line is None:
        return _redirect_past(name, there)
    ticket = _numbered(request, lines, line)
    if ticket is None:
        return _page_of(line, there)
    try:
        turn = await _turn_of(request, lines, line, ticket)
    except NumberNotServed:
        return _page_of(line, there)
    except (TurnOver, TurnNotYours, TicketInvalid) as refusal:
        # A redirect to the waiting page would loop: that page redirects a called number back here.
        return _turn_over_page(request, line.name, refusal, there)
    answer = see_other(there)
    _set(settings, answer, turn_cookie(line.name), lines.tokens.turn(turn), TURN_SECONDS_MAX)
    return answer


@post(
    "/lines/{name:str}/leave",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def leave(
    request: PageRequest,
    name: FromPath[str],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Discard the visitor's number and turn; the waiting page then gives a new number."""
    line, there = await _line(lines, name), next_path_of((await read_form(request)).text("next"))
    if line is None:
        return _redirect_past(name, there)
    answer = _page_of(line, there)
    _set(settings, answer, ticket_cookie(line.name), "", 0)
    _set(settings, answer, turn_cookie(line.name), "", 0)
    return answer


@get(
    "/lines/{name:str}/keep",
    opt={"permission": Permission.ORDER_CREATE, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def keep(
    request: PageRequest,
    name: FromPath[str],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
) -> Page:
    """Keep the visitor's number with the account; of several numbers the account keeps the earliest."""
    line, there = await _line(lines, name), next_path_of(request.query_params.get("next", ""))
    if line is None:
        return _redirect_past(name, there)
    kept = await lines.keep(line, account, _numbered(request, lines, line))
    # A visitor who was signed in before is redirected here by the waiting page, and returns to it with the number.
    is_back = "back" in request.query_params and kept is not None
    shown = (
        _page_of(line, there)
        if is_back
        else page(
            request,
            "waiting_room/kept.html",
            number=grouped(kept.number, language_of(request)) if kept else "",
            wants_mail=await lines.wants_mail(line, account),
            path=f"{PATH}/{line.name}",
            query=urlencode({"next": there}),
            there=there,
        )
    )
    if kept is not None:
        ticket = lines.tokens.ticket(kept)
        _set(settings, shown, ticket_cookie(line.name), ticket, BROWSER_HOLDS_SECONDS)
    return shown


@post(
    "/lines/{name:str}/tell",
    opt={"permission": Permission.ORDER_CREATE, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def tell(
    request: PageRequest,
    name: FromPath[str],
    lines: NamedDependency[WaitingRoom],
    account: NamedDependency[UUID],
) -> Page:
    """Record that the account wants a mail when its turn in the waiting line is near."""
    line, there = (
        await _line(lines, name),
        next_path_of((await read_own_form(request)).text("next")),
    )
    if line is None:
        return _redirect_past(name, there)
    await lines.set_wants_mail(line, account, wants_mail=True)
    return see_other(
        f"{PATH}/{line.name}/keep?{urlencode({'next': there})}"
    )  # that page confirms the request


@get(
    "/lines/{name:str}/receipt",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def receipt(
    request: PageRequest,
    name: FromPath[str],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Return the signed proof of a place as a file, also for an ended waiting line."""
    line = await lines.line_or_ended(name)
    ticket = lines.ticket_shown(request.scope, line)
    if ticket is None:
        return _page_of(line, "/")
    if ticket.number == NO_NUMBER:
        proof = lines.entry_receipt(line, ticket)
        return saved_as(f"undian-{line.name}.json", proof.encode(), "application/json")
    proof = lines.receipt(line, ticket)
    return saved_as(f"antrean-{line.name}-{ticket.number}.json", proof.encode(), "application/json")


@get(
    "/lines/{name:str}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_ended(
    request: PageRequest, name: FromPath[str], lines: NamedDependency[WaitingRoom]
) -> Page:
    """Show that a waiting line has ended; the pages of other lines are answered before the application (`front`)."""
    line = await lines.line_or_ended(name)
    # A differently spelled address of an existing line, or that of a line created just now, also arrives here.
    if line.state != LineState.ENDED:
        return _page_of(line, next_path_of(request.query_params.get("next", "")))
    ticket = lines.ticket_shown(request.scope, line)
    return page(
        request,
        "waiting_room/ended.html",
        path=f"{PATH}/{line.name}",
        has_ticket=ticket is not None,
    )


@get(
    "/lines/key.pem",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
    media_type="application/x-pem-file",
)
async def show_key(lines: NamedDependency[WaitingRoom]) -> Response[bytes]:
    """Return the public key, as PEM, that verifies receipts of places and the published status files of waiting lines."""
    kind = "application/x-pem-file"
    return Response(lines.signer.public_pem(), media_type=kind)


@get(
    "/lines/{name:str}/draws/{draw:str}/{file:str}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_draw_file(
    name: FromPath[str],
    draw: FromPath[str],
    file: FromPath[str],
    settings: NamedDependency[Settings],
) -> File:
    """Return a public file of a draw: the record of the draw, or the list of its entries once the list is closed."""
    found = public_file(settings.process.directory, PATH, name, draw, file)
    if found is None:
        raise NotFound("no such file of a draw")
    kind = "application/json" if file.endswith(".json") else "text/plain"
    return File(path=found, filename=file, media_type=kind, content_disposition_type="inline")


pages = (show_ended, show_draw_file, enter, leave, keep, tell, receipt, show_key)
