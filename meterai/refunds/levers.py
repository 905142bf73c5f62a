"""Levers (staff actions) of refunds: give unused stamps back, retry or reroute a refund, decide on an account claim."""

from datetime import timedelta

import msgspec

from meterai import orders, payments, trail
from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.ids import read, show
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Subject, SubjectKind
from meterai.kit.text import isolated
from meterai.orders import OrderSettings
from meterai.payments import NotRerouted, Refund, Way
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.refunds import service, store
from meterai.refunds.claiming import decline, name_account, waits_for_account
from meterai.refunds.model import (
    ACCOUNT_CLAIM_SUBJECT,
    CLAIM_KIND,
    REFUND_SUBJECT,
    AccountClaim,
    AccountClaimOver,
    AccountClaimState,
    NothingWaits,
)


class RefundsAsk(msgspec.Struct, frozen=True):
    """Arguments: the id of an order whose unused stamps go back."""

    order: str


async def _would_ask(tx: ReadTx, asked: RefundsAsk, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    key = await orders.key_of(tx, read("ord", asked.order))
    stamps, money = await service.unused(tx, *key)
    about = Subject(SubjectKind.ORDER, show("ord", key.order), key.account)
    facts = {"order": about.shown, "stamps": stamps, "rupiah": money.value}
    return Forecast([Effect("refund_asked_for_owner", facts, about)], stamps, money.value)


async def _ask(tx: Tx, asked: RefundsAsk, pull: Pull) -> None:
    account, order = await orders.key_of(tx, read("ord", asked.order))
    # Refuses if no stamp is unused, in which case `ask` would return an earlier refund.
    await service.unused(tx, account, order)
    seconds = pull.settings.of(OrderSettings).stamps_due_seconds
    due_at = pull.at + timedelta(seconds=seconds)
    await service.ask(tx, account, order, None, due_at=due_at, actor=pull.actor)


class RefundNamed(msgspec.Struct, frozen=True):
    """Arguments: the id of a refund."""

    refund: str


async def _open_refund(tx: ReadTx, asked: RefundNamed) -> Refund:
    """The open refund with this id.  Refuses `NotFound`, `NotRerouted` for a refund that has ended."""
    found = await payments.refunds_by_id(tx, read("rfd", asked.refund))
    if not found:
        raise NotFound("no such refund")
    if not found[0].is_open:
        raise NotRerouted("it is over")
    return found[0]


def _facts(one: Refund) -> dict[str, object]:
    return {"refund": show("rfd", one.id), "rupiah": one.amount.value, "number": one.number}


async def _would_retry(tx: ReadTx, asked: RefundNamed, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    one = await _open_refund(tx, asked)
    if one.way is Way.CLAIM:
        raise NotRerouted("the refund waits for an account")
    # The forecast has no rupiah: the refund is sent again with the same number, so no additional money moves.
    return Forecast([Effect("refund_tried_now", _facts(one), _subject(one))], 1)


async def _retry(tx: Tx, asked: RefundNamed, pull: Pull) -> None:
    one = await _open_refund(tx, asked)
    await payments.retry(tx, one.account, one.id)
    shown, actor = show("rfd", one.id), pull.actor
    await trail.record(tx, one.account, actor=actor, action="refund_tried_again", subject=shown)


async def _would_reroute(tx: ReadTx, asked: RefundNamed, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    one = await _open_refund(tx, asked)
    if one.way is not Way.PROVIDER:
        raise NotRerouted("the refund already goes by another way")
    await payments.check_may_leave(tx, one.account, one.id)
    # The buyer is asked even if it named an account before: that account is for the money that waited then.
    effect = Effect("refund_goes_by_claim", _facts(one), _subject(one))
    return Forecast([effect], 1, one.amount.value)


async def _reroute(tx: Tx, asked: RefundNamed, pull: Pull) -> None:
    one = await _open_refund(tx, asked)
    await payments.reroute(tx, one.account, one.id)
    shown, actor = show("rfd", one.id), pull.actor
    await trail.record(tx, one.account, actor=actor, action="refund_taken_elsewhere", subject=shown)


def _subject(one: Refund) -> Subject:
    return Subject(REFUND_SUBJECT.kind, show("rfd", one.id), one.account)


class AccountNamed(msgspec.Struct, frozen=True):
    """Arguments: the id of an account claim (`clm_...`), which is a bank account that a buyer typed."""

    claim: str


async def _undecided(tx: ReadTx, asked: AccountNamed) -> AccountClaim:
    """The account claim with this id, if staff may still decide it.  Refuses `NotFound`, `AccountClaimOver`."""
    found = await store.account_claims_by_id(tx, read(CLAIM_KIND, asked.claim))
    if not found:
        raise NotFound("no such account claim")
    if found[0].state not in (AccountClaimState.HELD, AccountClaimState.OTHER):
        raise AccountClaimOver(f"it is {found[0].state}")
    return found[0]


def _claim_facts(claim: AccountClaim) -> dict[str, object]:
    return {
        "bank": claim.bank,
        "account": claim.account_no,
        "typed": isolated(claim.typed),
        "confirmed": isolated(claim.confirmed),
    }


async def _would_accept(tx: ReadTx, asked: AccountNamed, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    claim = await _undecided(tx, asked)
    owed = (await waits_for_account(tx, claim.account)).sum
    if not owed.value:
        raise NothingWaits("nothing of this buyer waits for an account")
    facts = _claim_facts(claim) | {"rupiah": owed.value}
    effect = Effect("account_gets_what_waits", facts, claim.subject)
    return Forecast([effect], 1, owed.value)


async def _accept(tx: Tx, asked: AccountNamed, pull: Pull) -> None:
    claim = await _undecided(tx, asked)
    await store.lock_claims(tx, claim.account)
    await name_account(tx, claim, claim.confirmed, actor=pull.actor)


async def _would_decline(tx: ReadTx, asked: AccountNamed, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    claim = await _undecided(tx, asked)
    return Forecast([Effect("account_is_declined", _claim_facts(claim), claim.subject)], 1)


async def _decline(tx: Tx, asked: AccountNamed, pull: Pull) -> None:
    claim = await _undecided(tx, asked)
    await store.lock_claims(tx, claim.account)
    await decline(tx, claim, actor=pull.actor)


_on_refunds = offered_on(REFUND_SUBJECT.kind, "refund")
_on_claims = offered_on(ACCOUNT_CLAIM_SUBJECT.kind, "claim")
ASK = Lever(
    name="refunds ask",
    permission=Permission.CONSOLE_MONEY,
    arguments=RefundsAsk,
    forecast=_would_ask,
    carry_out=_ask,
    offered=offered_on(SubjectKind.ORDER, "order"),
)
RETRY = Lever(
    name="refunds retry",
    permission=Permission.CONSOLE_MONEY,
    arguments=RefundNamed,
    forecast=_would_retry,
    carry_out=_retry,
    offered=_on_refunds,
)
REROUTE = Lever(
    name="refunds reroute",
    permission=Permission.CONSOLE_MONEY,
    arguments=RefundNamed,
    forecast=_would_reroute,
    carry_out=_reroute,
    offered=_on_refunds,
)
ACCEPT = Lever(
    name="refunds accept-account",
    permission=Permission.CONSOLE_MONEY,
    arguments=AccountNamed,
    forecast=_would_accept,
    carry_out=_accept,
    offered=_on_claims,
)
DECLINE = Lever(
    name="refunds decline-account",
    permission=Permission.CONSOLE_MONEY,
    arguments=AccountNamed,
    forecast=_would_decline,
    carry_out=_decline,
    offered=_on_claims,
)
LEVERS = (ASK, RETRY, REROUTE, ACCEPT, DECLINE)
