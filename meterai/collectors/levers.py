"""Levers (staff actions with a forecast) on collectors: approve with a limit, change terms, close, confirm a deposit."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from uuid import UUID

import msgspec

from meterai import accounts, trail
from meterai.accounts import NOBODY, Permission
from meterai.collectors import store
from meterai.collectors.model import (
    COLLECTOR,
    AlreadyCollector,
    CollectorEvent,
    CollectorState,
    CollectorTerms,
    DepositBeyondDue,
    DepositState,
    NtpnDiffers,
)
from meterai.collectors.service import check_paid_on, load, read_ntpn, tell_deposit
from meterai.collectors.settings import CollectorSettings
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.actor import Actor
from meterai.kit.days import Month, day_of, read_day
from meterai.kit.ids import read, show
from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed, NotFound
from meterai.kit.subjects import SubjectKind, account_subject
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.stamping import PARTY_NUMBER_DIGITS

NAME_LENGTH_MAX = 60  # characters
_NITKU_DIGITS = 22


class CollectorAsked(msgspec.Struct, frozen=True):
    """Arguments to approve or change a collector: organization as `acc_...`, monthly limit in rupiah, tax numbers.

    npwp    15 or 16 digits; if empty, the NPWP of the organization's profile is used
    nitku   22 digits, of the place of business; empty if not given
    """

    organization: str
    name: str
    limit: int
    npwp: str = ""
    nitku: str = ""


class CollectorNamed(msgspec.Struct, frozen=True):
    """Argument to close a collector: its account as `acc_...`."""

    organization: str


class DepositMade(msgspec.Struct, frozen=True):
    """Arguments to confirm a deposit to the treasury: collector as `acc_...`, NTPN, month, rupiah, day of payment."""

    organization: str
    ntpn: str
    month: str
    rupiah: int
    paid_on: str


async def _checked(tx: ReadTx, asked: CollectorAsked, pull: Pull) -> CollectorTerms:
    """Check the requested terms and return them. Refuses `Malformed`, `NotFound`."""
    organization = await accounts.organization_of(tx, read("acc", asked.organization))
    if organization is None:
        raise NotFound("no such organization")
    most = pull.settings.of(CollectorSettings).collector_limit_rupiah_max
    if not 1 <= asked.limit <= most:
        raise Malformed("limit", "within_bounds", maximum=most)
    if not 1 <= len(asked.name) <= NAME_LENGTH_MAX or not asked.name.isprintable():
        raise Malformed("name", "shown_text", length_max=NAME_LENGTH_MAX)
    npwp = asked.npwp or organization.npwp
    if counted(npwp, max(PARTY_NUMBER_DIGITS)) is None or len(npwp) not in PARTY_NUMBER_DIGITS[:2]:
        raise Malformed("npwp", "party_number")
    if asked.nitku and (
        counted(asked.nitku, _NITKU_DIGITS) is None or len(asked.nitku) != _NITKU_DIGITS
    ):
        raise Malformed("nitku", "party_number")
    return CollectorTerms(asked.name, npwp, asked.nitku, asked.limit)


async def _draws(tx: ReadTx, account: UUID, terms: CollectorTerms) -> Forecast:
    facts = {"name": terms.name, "npwp": terms.npwp, "rupiah": terms.limit_rupiah}
    effects = [Effect("collector_draws", facts, account_subject(account))]
    # A request cannot replace terms that were agreed after it was made: its forecast has changed.
    newest = (await store.terms_of(tx, account))[-1:]
    replaced = [Effect("collector_terms_end", {"set_at": one.set_at}) for one in newest]
    return Forecast([*effects, *replaced], rows=2)


async def _approving(tx: ReadTx, asked: CollectorAsked, pull: Pull) -> Forecast:
    account, terms = read("acc", asked.organization), await _checked(tx, asked, pull)
    found = await store.collector(tx, account)
    if found is not None and found.state == CollectorState.OPEN:
        raise AlreadyCollector("the organization is already a collector")
    return await _draws(tx, account, terms)


async def _approve(tx: Tx, asked: CollectorAsked, pull: Pull) -> None:
    account = read("acc", asked.organization)
    terms = await store.set_terms(tx, account, await _checked(tx, asked, pull))
    if not await store.approve(tx, account, terms):
        raise AlreadyCollector("the organization is already a collector")
    await store.demand_facts(tx, account, is_demanded=True)
    await _record(tx, account, pull.actor, "collector_approved")


async def _changing(tx: ReadTx, asked: CollectorAsked, pull: Pull) -> Forecast:
    account, terms = read("acc", asked.organization), await _checked(tx, asked, pull)
    COLLECTOR.after(
        (await load(tx, account)).state, CollectorEvent.CLOSED
    )  # refuses a closed collector, whose terms cannot change
    return await _draws(tx, account, terms)


async def _change(tx: Tx, asked: CollectorAsked, pull: Pull) -> None:
    account = read("acc", asked.organization)
    await store.change(
        tx, account, await store.set_terms(tx, account, await _checked(tx, asked, pull))
    )
    await _record(tx, account, pull.actor, "collector_changed")


async def _closing(tx: ReadTx, asked: CollectorNamed, _pull: Pull) -> Forecast:
    account = read("acc", asked.organization)
    found = await load(tx, account)
    COLLECTOR.after(found.state, CollectorEvent.CLOSED)
    owed = sum(one.open for one in await store.months(tx, account))
    facts = {"name": found.name, "rupiah": owed}
    return Forecast([Effect("collector_closes", facts, account_subject(account))], rows=1)


async def _close(tx: Tx, asked: CollectorNamed, pull: Pull) -> None:
    account = read("acc", asked.organization)
    await store.close(tx, account)
    await store.demand_facts(tx, account, is_demanded=False)
    await _record(tx, account, pull.actor, "collector_closed")


def _deposit(asked: DepositMade) -> tuple[UUID, str, Month, date]:
    """Return account, NTPN, month and day of payment of a deposit. Refuses `Malformed`, `NotFound`."""
    return (
        read("acc", asked.organization),
        read_ntpn(asked.ntpn),
        Month.read(asked.month),
        read_day(asked.paid_on, "paid_on"),
    )


async def _confirming(tx: ReadTx, asked: DepositMade, pull: Pull) -> Forecast:
    account, ntpn, month, paid_on = _deposit(asked)
    found = await load(tx, account)
    check_paid_on(month, paid_on, day_of(pull.at))
    deposit = await store.deposit_of(tx, account, ntpn)
    if deposit is not None and (
        deposit.state != DepositState.TOLD
        or (deposit.month, deposit.amount, deposit.paid_on) != (month.first, asked.rupiah, paid_on)
    ):
        raise NtpnDiffers("the deposit is already confirmed, or has another NTPN")
    open_ = sum(one.open for one in await store.months(tx, account) if one.month == month.first)
    if asked.rupiah > open_:
        raise DepositBeyondDue(due=open_)
    facts = {"name": found.name, "rupiah": asked.rupiah, "month": str(month), "ntpn": ntpn}
    kind = "collector_deposited_told" if deposit else "collector_deposited_untold"
    return Forecast([Effect(kind, facts, account_subject(account))], 1, asked.rupiah)


async def _confirm(tx: Tx, asked: DepositMade, pull: Pull) -> None:
    account, ntpn, month, paid_on = _deposit(asked)
    deposit = await tell_deposit(tx, account, ntpn, month, asked.rupiah, paid_on, day_of(pull.at))
    await store.confirm(tx, account, deposit)
    await store.take_waiting(tx, account, *pull.settings.of(CollectorSettings).stops)
    await _record(tx, account, pull.actor, "collector_deposit_confirmed", rupiah=asked.rupiah)


async def _record(tx: Tx, account: UUID, actor: Actor, action: str, /, **facts: object) -> None:
    shown = show("acc", account)
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=shown, **facts)


_IS_ONE = "collector_agreed"
_lever = partial(
    Lever,
    permission=Permission.CONSOLE_ORGANIZATIONS,
    is_always_approved=True,
    offered=offered_on(SubjectKind.ACCOUNT, "organization"),
)
APPROVE = _lever(
    name="collectors approve",
    happened="account_organization",
    arguments=CollectorAsked,
    forecast=_approving,
    carry_out=_approve,
)
CHANGE = _lever(
    name="collectors change",
    happened=_IS_ONE,
    arguments=CollectorAsked,
    forecast=_changing,
    carry_out=_change,
)
CLOSE = _lever(
    name="collectors close",
    happened=_IS_ONE,
    arguments=CollectorNamed,
    forecast=_closing,
    carry_out=_close,
)
CONFIRM = _lever(
    name="collectors confirm",
    happened=_IS_ONE,
    permission=Permission.CONSOLE_MONEY,
    arguments=DepositMade,
    forecast=_confirming,
    carry_out=_confirm,
)
LEVERS: Sequence[Lever] = (APPROVE, CHANGE, CLOSE, CONFIRM)
