"""Levers of finance (staff actions with a forecast): close a day; approve, send, confirm and fail a payout of duty."""

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Moment, Pull, offered_on
from meterai.finance import closing, payouts
from meterai.finance.model import (
    DAY_SUBJECT,
    DEPOSIT_CODE,
    PAYOUT,
    PAYOUT_SUBJECT,
    Payout,
    PayoutEvent,
    PayoutState,
)
from meterai.kit.days import Month, read_day
from meterai.kit.ids import new_id
from meterai.kit.reasons import written_reason
from meterai.kit.subjects import Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx, Tx

BREAKS_TOLD = 20  # breaks listed in the forecast of a close; the signed close has all of them


class DayCloseArguments(msgspec.Struct, frozen=True):
    """Argument for closing a day: the day in WIB, as 2026-11-30."""

    day: str


class ProposeArguments(msgspec.Struct, frozen=True):
    """Arguments of a proposed payout: rupiah, the month of the duty (2026-11), and the codes of tax and deposit."""

    amount: int
    month: str
    deposit_code: str = DEPOSIT_CODE


class SendArguments(msgspec.Struct, frozen=True):
    """Arguments for recording that a payout was sent: the id of the payout (`pyo_...`), and the treasury's billing code for
    it.
    """

    payout: str
    billing_code: str


class ConfirmArguments(msgspec.Struct, frozen=True):
    """Arguments for confirming a payout: its id, the line of the bank statement that pays it, and the number of the state's
    receipt.
    """

    payout: str
    bank_line: str
    amount: int
    moved_at: Moment
    ntpn: str


class FailArguments(msgspec.Struct, frozen=True):
    """Argument for marking a payout as failed: the id of the payout that was not paid (`pyo_...`)."""

    payout: str


async def _closing(tx: ReadTx, arguments: DayCloseArguments, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    found = await closing.check_closes(tx, read_day(arguments.day))
    rupiah = sum(one.rupiah for one in found.breaks)
    facts = {"day": arguments.day, "entries": found.entries, "sha256": found.sha256.hex()}
    effects = [Effect("day_closes", facts)]
    effects.append(
        Effect("day_closes_with_breaks", {"count": len(found.breaks), "rupiah": rupiah})
        if found.breaks
        else Effect("day_closes_explained")
    )
    effects += [
        Effect("day_closes_break", {"rupiah": one.rupiah}, Subject(SubjectKind.SUSPENSE, one.item))
        for one in found.breaks[:BREAKS_TOLD]
    ]
    return Forecast(effects, len(found.balances))  # it moves no money


async def _close(tx: Tx, arguments: DayCloseArguments, pull: Pull) -> None:
    found = await closing.check_closes(tx, read_day(arguments.day))
    await closing.close(tx, found, pull.settings, pull.actor)


async def _proposing(tx: ReadTx, arguments: ProposeArguments, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    month, code = Month.read(arguments.month), payouts.deposit_code(arguments.deposit_code)
    await payouts.check_pays(tx, arguments.amount)
    facts = {"rupiah": arguments.amount, "month": str(month), "deposit": code}
    return Forecast([Effect("payout_is_approved", facts)], 1, arguments.amount)


async def _propose(tx: Tx, arguments: ProposeArguments, pull: Pull) -> None:
    found = Payout(
        new_id(),
        arguments.amount,
        Month.read(arguments.month).first,
        payouts.deposit_code(arguments.deposit_code),
        PayoutState.APPROVED,
        pull.at,
        str(pull.actor),
    )
    await payouts.propose(tx, found, pull.actor)


def _payout_forecast(found: Payout, word: str, /, **facts: object) -> Forecast:
    facts_of_payout = {"payout": found.shown, "rupiah": found.amount} | facts
    return Forecast([Effect(word, facts_of_payout, subject(found))], 1)


def subject(found: Payout) -> Subject:
    """Return the `Subject` that names a payout in the console."""
    return Subject(PAYOUT_SUBJECT.kind, found.shown)


async def _sending(tx: ReadTx, arguments: SendArguments, _: Pull) -> Forecast:
    found = await payouts.one(tx, arguments.payout)
    await payouts.check_sends(tx, found)
    return _payout_forecast(
        found, "payout_is_sent", billing=payouts.billing_code(arguments.billing_code)
    )


async def _send(tx: Tx, arguments: SendArguments, pull: Pull) -> None:
    found = await payouts.one(tx, arguments.payout)
    await payouts.send(tx, found, payouts.billing_code(arguments.billing_code), pull.actor)


async def _confirming(tx: ReadTx, arguments: ConfirmArguments, _: Pull) -> Forecast:
    found = await payouts.one(tx, arguments.payout)
    line = payouts.bank_line(arguments.bank_line)
    await payouts.check_confirms(tx, found, line, arguments.amount, arguments.moved_at)
    receipt = payouts.ntpn(arguments.ntpn)
    return _payout_forecast(
        found, "payout_is_confirmed", line=line, at=arguments.moved_at, ntpn=receipt
    )


async def _confirm(tx: Tx, arguments: ConfirmArguments, pull: Pull) -> None:
    found = await payouts.one(tx, arguments.payout)
    line, receipt = payouts.bank_line(arguments.bank_line), payouts.ntpn(arguments.ntpn)
    await payouts.confirm(tx, found, line, arguments.moved_at, receipt, pull.actor)


async def _failing(tx: ReadTx, arguments: FailArguments, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    found = await payouts.one(tx, arguments.payout)
    PAYOUT.after(found.state, PayoutEvent.FAILED)
    return _payout_forecast(found, "payout_fails")


async def _fail(tx: Tx, arguments: FailArguments, pull: Pull) -> None:
    found = await payouts.one(tx, arguments.payout)
    await payouts.fail(tx, found, written_reason(pull.reason), pull.actor)


_offered = offered_on(PAYOUT_SUBJECT.kind, "payout")
_FINANCE = Permission.CONSOLE_FINANCE
CLOSE = Lever(
    name="finance close",
    permission=_FINANCE,
    arguments=DayCloseArguments,
    forecast=_closing,
    carry_out=_close,
    offered=offered_on(DAY_SUBJECT.kind, "day"),
)
# Two people approve each payout before the bank is told.
PROPOSE = Lever(
    name="finance payout propose",
    permission=_FINANCE,
    arguments=ProposeArguments,
    forecast=_proposing,
    carry_out=_propose,
    is_always_approved=True,
)
SEND = Lever(
    name="finance payout send",
    permission=_FINANCE,
    arguments=SendArguments,
    forecast=_sending,
    carry_out=_send,
    offered=_offered,
)
# Needed only if no bank record has a line with the receipt: such a line confirms the payout automatically.
CONFIRM = Lever(
    name="finance payout confirm",
    permission=_FINANCE,
    arguments=ConfirmArguments,
    forecast=_confirming,
    carry_out=_confirm,
    is_always_approved=True,
    offered=_offered,
)
FAIL = Lever(
    name="finance payout fail",
    permission=_FINANCE,
    arguments=FailArguments,
    forecast=_failing,
    carry_out=_fail,
    offered=_offered,
)
LEVERS = (CLOSE, PROPOSE, SEND, CONFIRM, FAIL)
