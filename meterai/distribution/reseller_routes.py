"""API of resellers: routes for their distributor, and routes for the resellers themselves."""

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.distribution.model import ResellerTerms
from meterai.distribution.resellers import ResellerService, ResellerView, SoldView
from meterai.distribution.routes import Of, OfDay
from meterai.distribution.statement import StatementSpan
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.plumbing.http.described import Described

_READING = {"permission": Permission.SALE_MAKE, "priority": Priority.PAID}
_MANAGING = {"permission": Permission.RESELLERS_MANAGE, "priority": Priority.PAID}
_TAGS = ["distribution"]


class ResellerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invitation: account as `acc_...`, name of its shop, its fee for each stamp, and the rupiah of your deposit that it
    may sell in a day (WIB).  Amounts in whole rupiah.
    """

    account: str
    name: str
    day_rupiah: int
    fee: int = 0


class ResellerChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All terms of a reseller: name of its shop, its fee for each stamp, and the rupiah that it may sell in a day (WIB)."""

    name: str
    day_rupiah: int
    fee: int = 0


class ResellerList(msgspec.Struct, frozen=True):
    """Your resellers, ordered by name, including ended ones."""

    resellers: list[ResellerView]


class ResellingList(msgspec.Struct, frozen=True):
    """Your relations to distributors: offers to sell from their deposits, and the distributor for which you sell."""

    distributors: list[ResellerView]


def _terms(asked: ResellerRequest | ResellerChange) -> ResellerTerms:
    return ResellerTerms(asked.name, asked.fee, asked.day_rupiah)


@get(
    "/v1/resellers",
    opt={**_READING, "described": Described(refuses=(404,))},
    summary="Your resellers",
    tags=_TAGS,
)
async def list_resellers(
    resellers: NamedDependency[ResellerService], account: NamedDependency[UUID]
) -> ResellerList:
    """List your resellers, with the rupiah that each may still sell today."""
    return ResellerList(await resellers.resellers(account))


@post(
    "/v1/resellers",
    opt={
        **_MANAGING,
        "described": Described(
            repeats="A waiting invitation gets the terms of the newest request.", refuses=(404,)
        ),
    },
    summary="Invite a reseller",
    tags=_TAGS,
)
async def invite_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[ResellerRequest],
) -> ResellerView:
    """Invite an account to sell stamps from your deposit, up to a daily limit.  It can sell once it accepts."""
    return await resellers.invite(account, read("acc", data.account), _terms(data), actor=actor)


@get("/v1/resellers/{reseller_id:str}", opt=_READING, summary="One reseller", tags=_TAGS)
async def show_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    reseller_id: FromPath[str],
) -> ResellerView:
    """Show a reseller of yours, with the rupiah that it may still sell today."""
    return await resellers.reseller(account, read("acc", reseller_id))


@post(
    "/v1/resellers/{reseller_id:str}/change",
    opt={
        **_MANAGING,
        "described": Described(repeats="The reseller gets the terms of the request."),
    },
    summary="Change a reseller",
    tags=_TAGS,
    status_code=200,
)
async def change_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    reseller_id: FromPath[str],
    data: JSONBody[ResellerChange],
) -> ResellerView:
    """Change name, fee and daily limit of a reseller, from its next sale on."""
    return await resellers.change(account, read("acc", reseller_id), _terms(data), actor=actor)


@post(
    "/v1/resellers/{reseller_id:str}/pause",
    opt={**_MANAGING, "described": Described(repeats="A paused reseller stays paused.")},
    summary="Pause a reseller",
    tags=_TAGS,
    status_code=200,
)
async def pause_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    reseller_id: FromPath[str],
) -> ResellerView:
    """Stop a reseller from making sales for now.  Its waiting sales are still paid from your deposit."""
    return await resellers.pause(account, read("acc", reseller_id), actor=actor)


@post(
    "/v1/resellers/{reseller_id:str}/resume",
    opt={**_MANAGING, "described": Described(repeats="A reseller that sells stays so.")},
    summary="Let a reseller sell again",
    tags=_TAGS,
    status_code=200,
)
async def resume_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    reseller_id: FromPath[str],
) -> ResellerView:
    """Let a paused reseller sell again."""
    return await resellers.resume(account, read("acc", reseller_id), actor=actor)


@post(
    "/v1/resellers/{reseller_id:str}/end",
    opt={**_MANAGING, "described": Described(repeats="A reseller whose role ended stays so.")},
    summary="End a reseller",
    tags=_TAGS,
    status_code=200,
)
async def end_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    reseller_id: FromPath[str],
) -> ResellerView:
    """End a reseller, or withdraw an invitation.  Its waiting sales are paid or end like your own sales."""
    return await resellers.end(account, read("acc", reseller_id), actor=actor)


@get(
    "/v1/resellers/{reseller_id:str}/statement",
    opt=_READING,
    summary="Sales of a reseller by day",
    tags=_TAGS,
)
async def show_sold_of(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    reseller_id: FromPath[str],
    month: Of = None,
    day: OfDay = None,
) -> SoldView:
    """Show, for a month or a day, the rupiah that your deposit paid for the sales of a reseller, and the rupiah returned to
    your deposit.
    """
    return await resellers.sold(account, read("acc", reseller_id), StatementSpan.read(month, day))


@get("/v1/reselling", opt=_READING, summary="For whom you sell", tags=_TAGS)
async def list_reselling(
    resellers: NamedDependency[ResellerService], account: NamedDependency[UUID]
) -> ResellingList:
    """List offers of distributors to sell from their deposits, and the distributor for which you sell.

    Each entry has the rupiah that you may still sell today.
    """
    return ResellingList(await resellers.offers(account))


@get(
    "/v1/reselling/statement",
    opt={**_READING, "described": Described(refuses=(404,))},
    summary="Your sales as a reseller by day",
    tags=_TAGS,
)
async def show_sold(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    month: Of = None,
    day: OfDay = None,
) -> SoldView:
    """Show, for a month or a day, the rupiah that your distributor's deposit paid for your sales, and the rupiah returned to
    that deposit.
    """
    return await resellers.sold_by(account, StatementSpan.read(month, day))


@post(
    "/v1/reselling/{distributor_id:str}/accept",
    opt={
        **_MANAGING,
        "described": Described(repeats=("An account that sells already stays a reseller.")),
    },
    summary="Accept to be a reseller",
    tags=_TAGS,
    status_code=200,
)
async def accept_reselling(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    distributor_id: FromPath[str],
) -> ResellerView:
    """Accept an offer: from now on you sell from the deposit of this distributor.  You can sell for only one distributor."""
    return await resellers.accept(read("acc", distributor_id), account, actor=actor)


@post(
    "/v1/reselling/{distributor_id:str}/end",
    opt={**_MANAGING, "described": Described(repeats="An ended role stays ended.")},
    summary="Decline or end being a reseller",
    tags=_TAGS,
    status_code=200,
)
async def end_reselling(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    distributor_id: FromPath[str],
) -> ResellerView:
    """Decline the offer of a distributor, or stop selling for it."""
    return await resellers.leave(read("acc", distributor_id), account, actor=actor)


RESELLER_ROUTES = [
    list_resellers,
    invite_reseller,
    show_reseller,
    change_reseller,
    pause_reseller,
    resume_reseller,
    end_reseller,
    show_sold_of,
    list_reselling,
    show_sold,
    accept_reselling,
    end_reselling,
]
