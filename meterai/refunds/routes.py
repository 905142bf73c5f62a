"""API routes for refunds and for the bank account of a buyer."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.plumbing.config import Settings
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.queries import Before, Limit
from meterai.plumbing.http.requests import idempotency_key, network_of
from meterai.refunds.claiming import ClaimService
from meterai.refunds.model import (
    CLAIM_KIND,
    AccountClaim,
    AccountClaimState,
    refused_as,
    wanted_account,
)
from meterai.refunds.service import RefundService, RefundView


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order whose unused stamps are given back."""

    order_id: str


@post(
    "/v1/refunds",
    opt={
        "permission": Permission.REFUND_ASK,
        "priority": Priority.PAID,
        "described": Described(needs_key=True, refuses=(404,)),
    },
    summary="Request a refund of unused stamps",
    tags=["refunds"],
)
async def ask_for_refund(
    request: Request[Any, Any, Any],
    refunds: NamedDependency[RefundService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[RefundRequest],
) -> RefundView:
    """Give the unused stamps of an order back; their money is refunded.

    Needs an Idempotency-Key.  Paid money that is not executed needs no request: it is refunded automatically.
    """
    key = idempotency_key(request)
    return await refunds.ask(account, read("ord", data.order_id), key, actor=actor)


class AccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Your bank account: the three-digit code of its bank, its number, and the name of its holder."""

    bank_code: str
    account_no: str
    holder: str


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """A bank account that you named.  `state` is `named`: your waiting money goes to it; or `held`: a person examines it
    first.  `holder` is the name as you sent it.
    """

    id: str
    state: str
    bank_code: str
    account_no: str
    holder: str


def account_view(claim: AccountClaim) -> AccountView:
    """Return an account claim as the API shows it.  For a claim whose bank account is neither named nor held, raises the
    refusal of `refused_as`.
    """
    match claim.state:
        case AccountClaimState.NAMED | AccountClaimState.HELD:
            return AccountView(
                id=claim.shown,
                state=claim.state,
                bank_code=claim.bank_code,
                account_no=claim.account_no,
                holder=claim.typed,
            )
        case state:
            raise refused_as(claim, state)


@post(
    "/v1/refunds/account",
    opt={
        "permission": Permission.REFUND_ASK,
        "priority": Priority.PAID,
        "described": Described(needs_key=True, refuses=(409, 429)),
    },
    summary="Enter a bank account for refunds",
    tags=["refunds"],
)
async def name_account(
    request: Request[Any, Any, Any],
    claims: NamedDependency[ClaimService],
    account: NamedDependency[UUID],
    settings: NamedDependency[Settings],
    actor: NamedDependency[Actor],
    data: JSONBody[AccountRequest],
) -> AccountView:
    """Name a bank account for refunds that cannot go back to the source of their payment.

    We ask the bank for the name of the holder.  If it is nearly the name that you sent, the refusal `account_holder_near`
    contains the bank's name in part, and the `claim` to confirm.  If number and name do not belong together, the account
    is not named.
    """
    wanted = wanted_account(data.bank_code, data.account_no, data.holder)
    key, network = idempotency_key(request), network_of(request, settings.process.proxies)
    return account_view(await claims.name(account, key, wanted, actor=actor, network=network))


@post(
    "/v1/refunds/account/{claim_id:str}/confirm",
    opt={
        "permission": Permission.REFUND_ASK,
        "priority": Priority.PAID,
        "described": Described(
            repeats="An account is confirmed once; a repeat returns the same result.",
            refuses=(404, 409),
        ),
    },
    summary="Confirm a bank account",
    tags=["refunds"],
)
async def confirm_account(
    claims: NamedDependency[ClaimService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    claim_id: FromPath[str],
) -> AccountView:
    """Confirm, within half an hour, that an account is yours though its name differs slightly from the name you sent."""
    claim = await claims.confirm(account, read(CLAIM_KIND, claim_id), actor=actor)
    return account_view(claim)


class RefundList(msgspec.Struct, frozen=True):
    """Refunds, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    refunds: list[RefundView]
    next: str | None


@get(
    "/v1/refunds",
    opt={"permission": Permission.REFUND_READ, "priority": Priority.PAID},
    summary="Your refunds",
    tags=["refunds"],
)
async def list_refunds(
    refunds: NamedDependency[RefundService],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
) -> RefundList:
    """A page of your refunds, newest first."""
    page = ListPage(limit, read("rfd", before)) if before else ListPage(limit)
    found, is_more = await refunds.list(account, page)
    return RefundList(found, found[-1].id if is_more else None)


@get(
    "/v1/refunds/{refund_id:str}",
    opt={"permission": Permission.REFUND_READ, "priority": Priority.PAID},
    summary="One refund",
    tags=["refunds"],
)
async def show_refund(
    refunds: NamedDependency[RefundService],
    account: NamedDependency[UUID],
    refund_id: FromPath[str],
) -> RefundView:
    """One refund with its state and its due time."""
    return await refunds.view(account, read("rfd", refund_id))


routes = [ask_for_refund, name_account, confirm_account, list_refunds, show_refund]
