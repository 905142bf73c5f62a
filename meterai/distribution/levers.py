"""Levers (staff actions with a forecast) on distributors: approve, change terms, close, refund part of a deposit."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec

from meterai import accounts, payments, trail
from meterai.accounts import NOBODY, Permission
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.distribution import store
from meterai.distribution.model import (
    DISTRIBUTOR,
    AlreadyDistributor,
    DepositTerms,
    DepositTooSmall,
    Distributor,
    DistributorEvent,
    DistributorFeeTooHigh,
    FeeOfResellerOnTop,
    SellsAlready,
    Short,
)
from meterai.distribution.service import balance, load
from meterai.distribution.settings import DistributionSettings
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, read, show
from meterai.kit.money import STAMP_DUTY
from meterai.kit.refusal import Malformed, NotFound
from meterai.kit.subjects import SubjectKind, account_subject
from meterai.plumbing.db.database import ReadTx, Tx

NAME_LENGTH_MAX = 60  # characters, on pages and in mails of buyers
REGION_LENGTH_MAX = 60
LOW_DAYS_MAX = 31
DUE_WITHIN = timedelta(hours=23)  # until a refund is due: a refund takes a day at most


class DistributorTerms(msgspec.Struct, frozen=True):
    """Arguments to approve or change a distributor: organization as `acc_...`, and its terms.

    `fee` is rupiah for each stamp.  The deposit is low if it is below `low_rupiah`, or if it would last less than `low_days`
    days at the average sales of the last week; 0 means no such bound.
    """

    organization: str
    seller: str
    fee: int
    region: str
    short: Short = Short.WAIT
    low_days: int = 0
    low_rupiah: int = 0
    topup_rupiah: int = 0
    topup_method: str | None = None


class DistributorNamed(msgspec.Struct, frozen=True):
    """Argument to close a distributor: its account as `acc_...`."""

    organization: str


class DepositAsked(msgspec.Struct, frozen=True):
    """Arguments to refund part of a deposit: the distributor as `acc_...`, and the rupiah to refund."""

    organization: str
    rupiah: int


def _checked(asked: DistributorTerms, pull: Pull) -> DepositTerms:
    """Check the requested terms and return them. Refuses `Malformed`, `DistributorFeeTooHigh`."""
    own = pull.settings.of(DistributionSettings)
    if asked.fee > own.distribution_fee_rupiah_max:
        raise DistributorFeeTooHigh(fee=asked.fee, fee_max=own.distribution_fee_rupiah_max)
    for field, text, length in (
        ("seller", asked.seller, NAME_LENGTH_MAX),
        ("region", asked.region, REGION_LENGTH_MAX),
    ):
        if not 1 <= len(text) <= length or not text.isprintable():
            raise Malformed(field, "shown_text", length_max=length)
    for field, number, most in (
        ("fee", asked.fee, own.distribution_fee_rupiah_max),
        ("low_days", asked.low_days, LOW_DAYS_MAX),
        ("low_rupiah", asked.low_rupiah, own.deposit_rupiah_max),
        ("topup_rupiah", asked.topup_rupiah, own.deposit_rupiah_max),
    ):
        if not 0 <= number <= most:
            raise Malformed(field, "within_bounds", maximum=most)
    if asked.topup_rupiah % STAMP_DUTY:
        raise Malformed("topup_rupiah", "within_bounds", maximum=own.deposit_rupiah_max)
    return DepositTerms(
        asked.seller,
        asked.fee,
        asked.short,
        asked.region,
        asked.low_days,
        asked.low_rupiah,
        asked.topup_method,
        asked.topup_rupiah,
    )


def _effects(account: UUID, terms: DepositTerms) -> Iterator[Effect]:
    facts = {"name": terms.name, "region": terms.region, "fee": terms.fee}
    yield Effect("distributor_sells", facts, account_subject(account))
    yield Effect(f"distributor_short_{terms.short}")
    if terms.topup_rupiah:
        yield Effect("distributor_tops_up", {"rupiah": terms.topup_rupiah})


async def _approving(tx: ReadTx, asked: DistributorTerms, pull: Pull) -> Forecast:
    account, terms = read("acc", asked.organization), _checked(asked, pull)
    if await accounts.organization_called(tx, account) is None:
        raise NotFound("no such organization")
    if await store.distributor(tx, account) is not None:
        raise AlreadyDistributor("the organization is already a distributor")
    if not await store.may_claim(tx, account):
        raise SellsAlready("the organization is a reseller")
    return Forecast(list(_effects(account, terms)), rows=3)


async def _approve(tx: Tx, asked: DistributorTerms, pull: Pull) -> None:
    account = read("acc", asked.organization)
    if not await store.approve(
        tx, account, await store.set_terms(tx, account, _checked(asked, pull))
    ):
        raise AlreadyDistributor("the organization is already a distributor")
    if not await store.claim(tx, account, account):
        raise SellsAlready("the organization is a reseller")
    await _record(tx, account, pull.actor, "distributor_approved")


async def _changing(tx: ReadTx, asked: DistributorTerms, pull: Pull) -> Forecast:
    account, terms = read("acc", asked.organization), _checked(asked, pull)
    found = await load(tx, account)
    DISTRIBUTOR.after(found.state, DistributorEvent.CLOSED)  # refuses a closing distributor
    await _check_fees(tx, account, terms.fee, pull)
    # A request cannot replace terms that were agreed after it was made: its forecast has changed.
    newest = (await store.terms_of(tx, account))[-1]
    replaced = Effect("distributor_terms_end", {"set_at": newest.set_at})
    return Forecast([*_effects(account, terms), replaced], rows=2)


async def _check_fees(tx: ReadTx, account: UUID, fee: int, pull: Pull) -> int:
    """Check that `fee` plus the fee of any reseller of this distributor is within the bound; return the bound, in rupiah for
    each stamp.

    Refuses `FeeOfResellerOnTop` with the reseller or invited account whose fee exceeds the bound.
    """
    fees_max = pull.settings.of(DistributionSettings).distribution_fee_rupiah_max
    found = await store.reseller_with_highest_fee(tx, account, pull.at)
    if found is not None and (fees := fee + found.fee) > fees_max:
        raise FeeOfResellerOnTop(reseller=found.account, fees=fees, fees_max=fees_max)
    return fees_max


async def _change(tx: Tx, asked: DistributorTerms, pull: Pull) -> None:
    account, terms = read("acc", asked.organization), _checked(asked, pull)
    await store.lock(tx, account)
    fees_max = await _check_fees(tx, account, terms.fee, pull)
    await store.change(tx, account, await store.set_terms(tx, account, terms))
    await store.set_fee_of_distributor(tx, account, terms.fee, fees_max)
    await _record(tx, account, pull.actor, "distributor_changed")


async def _closing(tx: ReadTx, asked: DistributorNamed, _pull: Pull) -> Forecast:
    account = read("acc", asked.organization)
    found = await load(tx, account)
    DISTRIBUTOR.after(found.state, DistributorEvent.CLOSED)
    waiting = await store.waiting(tx, account)
    effects = [Effect("distributor_closes", {"name": found.name}, account_subject(account))]
    if waiting.sales:
        effects.append(Effect("distributor_sales_end", {"sales": waiting.sales}))
    return Forecast(effects, rows=1 + waiting.sales)


async def _close(tx: Tx, asked: DistributorNamed, pull: Pull) -> None:
    account = read("acc", asked.organization)
    await store.lock(tx, account)
    await store.close(tx, account)
    await store.empty(tx, account)
    await _record(tx, account, pull.actor, "distributor_closed")


async def _refunding(tx: ReadTx, asked: DepositAsked, _pull: Pull) -> Forecast:
    account = read("acc", asked.organization)
    found = await _refundable(tx, account, asked.rupiah)
    facts = {"name": found.name, "rupiah": asked.rupiah}
    return Forecast([Effect("deposit_goes_back", facts, account_subject(account))], 1, asked.rupiah)


async def _refundable(tx: ReadTx, account: UUID, rupiah: int) -> Distributor:
    """Check that an amount of a deposit, in rupiah, can be refunded; return the distributor.

    Refuses `Malformed`, `NoDistributor`, `DepositTooSmall`.
    """
    if rupiah < 1:
        raise Malformed("rupiah", "at_least_one")
    found = await load(tx, account)
    brought = sum(one.rupiah for one in await store.deposits_of(tx, account))
    most = min(brought, await balance(tx, account))
    if rupiah > most:
        raise DepositTooSmall(rupiah=most)
    return found


async def _refund(tx: Tx, asked: DepositAsked, pull: Pull) -> None:
    """Refund part of a deposit through the payments of its top-ups: the newest first, because providers return only recent
    payments.
    """
    account = read("acc", asked.organization)
    await store.lock(tx, account)
    await _refundable(tx, account, asked.rupiah)
    left = asked.rupiah
    for one in await store.deposits_of(tx, account):
        if not left:
            break
        refund = new_id()
        number = payments.refund_number(account, refund)
        due = pull.at + DUE_WITHIN
        left -= await store.return_deposit(tx, account, one.order, left, refund, number, due)
    if left:
        raise DepositTooSmall(rupiah=asked.rupiah - left)
    await store.empty(tx, account)
    await _record(tx, account, pull.actor, "deposit_given_back", rupiah=asked.rupiah)


async def _record(tx: Tx, account: UUID, actor: Actor, action: str, /, **facts: object) -> None:
    shown = show("acc", account)
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=shown, **facts)


_IS_ONE = "distributor_approved"
_lever = partial(
    Lever,
    permission=Permission.CONSOLE_ORGANIZATIONS,
    is_always_approved=True,
    offered=offered_on(SubjectKind.ACCOUNT, "organization"),
)
APPROVE = _lever(
    name="distributors approve",
    happened="account_organization",
    arguments=DistributorTerms,
    forecast=_approving,
    carry_out=_approve,
)
CHANGE = _lever(
    name="distributors change",
    happened=_IS_ONE,
    arguments=DistributorTerms,
    forecast=_changing,
    carry_out=_change,
)
CLOSE = _lever(
    name="distributors close",
    happened=_IS_ONE,
    arguments=DistributorNamed,
    forecast=_closing,
    carry_out=_close,
)
REFUND = _lever(
    name="deposits refund",
    happened=_IS_ONE,
    permission=Permission.CONSOLE_MONEY,
    arguments=DepositAsked,
    forecast=_refunding,
    carry_out=_refund,
)
LEVERS: Sequence[Lever] = (APPROVE, CHANGE, CLOSE, REFUND)
