"""API of resellers: the routes of a distributor, and those of a reseller about itself."""

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
    """An account as `acc_...`, the name of its shop, its fee of each stamp, and how many rupiah of your deposit it may sell in a
    day (WIB).
    """

    account: str
    name: str
    day_rupiah: int
    fee: int = 0


class ResellerChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All terms of a reseller: the name of its shop, its fee of each stamp, and rupiah of a day (WIB)."""

    name: str
    day_rupiah: int
    fee: int = 0


class ResellerList(msgspec.Struct, frozen=True):
    """Your resellers, by name; those that ended too."""

    resellers: list[ResellerView]


class ResellingList(msgspec.Struct, frozen=True):
    """Distributors that offer you to sell from their deposits, and the one for which you do."""

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
    """Every reseller of yours, with what it may sell today."""
    return ResellerList(await resellers.resellers(account))


@post(
    "/v1/resellers",
    opt={
        **_MANAGING,
        "described": Described(
            repeats="An invitation that waits has the terms of the newest request.", refuses=(404,)
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
    """Offer an account to sell from your deposit, within a limit of each day.  It sells once it accepts."""
    return await resellers.invite(account, read("acc", data.account), _terms(data), actor=actor)


@get("/v1/resellers/{reseller_id:str}", opt=_READING, summary="One reseller", tags=_TAGS)
async def show_reseller(
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    reseller_id: FromPath[str],
) -> ResellerView:
    """A reseller of yours, with what it may sell today."""
    return await resellers.reseller(account, read("acc", reseller_id))


@post(
    "/v1/resellers/{reseller_id:str}/change",
    opt={**_MANAGING, "described": Described(repeats="The reseller has the terms of the request.")},
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
    """Change name, fee and limit, from its next sale on."""
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
    """Let it sell nothing for now; what waits is carried out."""
    return await resellers.pause(account, read("acc", reseller_id), actor=actor)


@post(
    "/v1/resellers/{reseller_id:str}/resume",
    opt={**_MANAGING, "described": Described(repeats="A reseller that sells goes on.")},
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
    opt={**_MANAGING, "described": Described(repeats="A reseller that ended stays so.")},
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
    """End it, or take an invitation back.  Its sales that wait are paid or end as any of yours."""
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
    """Rupiah that your deposit paid for its sales, and that came back of any: of a month, or of one day."""
    return await resellers.sold(account, read("acc", reseller_id), StatementSpan.read(month, day))


@get("/v1/reselling", opt=_READING, summary="For whom you sell", tags=_TAGS)
async def list_reselling(
    resellers: NamedDependency[ResellerService], account: NamedDependency[UUID]
) -> ResellingList:
    """Offers of distributors to sell from their deposits, and the distributor for which you sell, with what is left today."""
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
    """Rupiah that the deposit of your distributor paid for your sales, and that came back of any: of a month, or of one day."""
    return await resellers.sold_by(account, StatementSpan.read(month, day))


@post(
    "/v1/reselling/{distributor_id:str}/accept",
    opt={**_MANAGING, "described": Described(repeats="Who sells already goes on.")},
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
    """Sell from the deposit of this distributor from now on.  You sell for one distributor at most."""
    return await resellers.accept(read("acc", distributor_id), account, actor=actor)


@post(
    "/v1/reselling/{distributor_id:str}/end",
    opt={**_MANAGING, "described": Described(repeats="What ended stays so.")},
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
    """Decline an offer, or sell no more for this distributor."""
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
