"""Payouts of duty to the treasury: approved by two people, sent, and confirmed by a line of the bank statement.

A payout is posted in the ledger when it is confirmed. Until then its amount is reserved: no other payout may use that duty.
"""

import re
from datetime import datetime

from meterai import suspense, trail
from meterai.accounts import NOBODY
from meterai.finance import store
from meterai.finance.model import (
    PAYOUT,
    PAYOUT_KIND,
    Payout,
    PayoutAboveDuty,
    PayoutDiffers,
    PayoutEvent,
    PayoutLineTaken,
    PayoutUnknown,
)
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, NotFound
from meterai.kit.text import one_line
from meterai.plumbing.db.database import ReadTx, Tx

# The state's receipt number of a deposit, and the billing code of a deposit for the bank.
_NTPN, _BILLING = re.compile(r"[0-9A-Z]{16}", re.ASCII), re.compile(r"[0-9]{15}", re.ASCII)
_DEPOSIT = re.compile(r"[0-9]{6}-[0-9]{3}", re.ASCII)
LINE_LENGTH_MAX = 100  # characters of the text that identifies a line


async def one(tx: ReadTx, text: str) -> Payout:
    """Return a payout by its id. Refuses `PayoutUnknown`."""
    try:
        found = await store.payout(tx, read(PAYOUT_KIND, text))
    except NotFound:
        found = None
    if found is None:
        raise PayoutUnknown(text)
    return found


async def duty_free(tx: ReadTx) -> int:
    """Return the rupiah of duty payable that are in no payout under way; duty that collectors pay themselves is not
    included.
    """
    taken = sum(one.amount for one in await store.open_payouts(tx))
    owed = await store.book_now(tx, "collectors_due")  # negative
    return await store.book_now(tx, "duty_payable") + min(owed, 0) - taken


def deposit_code(text: str) -> str:
    """Parse the codes of tax and deposit, as 411411-902. Refuses `Malformed`."""
    return _written(_DEPOSIT, text, "deposit_code")


def billing_code(text: str) -> str:
    """Parse the treasury's billing code of one deposit: 15 digits. Refuses `Malformed`."""
    return _written(_BILLING, text, "billing_code")


def ntpn(text: str) -> str:
    """Parse the state's receipt number: 16 letters and digits. Refuses `Malformed`."""
    return _written(_NTPN, text.upper(), "ntpn")


def bank_line(text: str) -> str:
    """Parse the text that identifies a line of the bank statement. Refuses `Malformed`."""
    found = one_line(text)
    if not 1 <= len(found) <= LINE_LENGTH_MAX:
        raise Malformed("bank_line", "within_bounds", maximum=LINE_LENGTH_MAX)
    return found


def _written(shape: re.Pattern[str], text: str, field: str) -> str:
    found = text.replace(" ", "")
    if not shape.fullmatch(found):
        raise Malformed(field, "another_value")
    return found


async def check_pays(tx: ReadTx, amount: int) -> int:
    """Return the rupiah of duty payable that are left after a new payout of `amount` rupiah. Refuses `PayoutAboveDuty`,
    `Malformed`.
    """
    if amount <= 0:
        raise Malformed("amount", "another_value")
    held = await duty_free(tx)
    if amount > held:
        raise PayoutAboveDuty(held)
    return held - amount


async def propose(tx: Tx, found: Payout, actor: Actor) -> None:
    """Store an approved payout. Refuses `PayoutAboveDuty`."""
    await store.lock_payouts(tx)
    await check_pays(tx, found.amount)
    await store.insert_payout(tx, found)
    await _record(tx, found, "payout_approved", actor)


async def check_sends(tx: ReadTx, found: Payout) -> None:
    """Check that a payout may be sent to the bank.

    Refuses `NotAllowedNow`, and `PayoutAboveDuty` if returned stamps reduced the duty too far since the approval.
    """
    PAYOUT.after(found.state, PayoutEvent.SENT)
    held = await duty_free(tx)
    if held < 0:
        raise PayoutAboveDuty(held + found.amount)


async def send(tx: Tx, found: Payout, code: str, actor: Actor) -> None:
    """Store that the bank was told to pay under a billing code. Refuses what `check_sends` refuses."""
    await store.lock_payouts(tx)
    await check_sends(tx, await _reload(tx, found))
    await store.send_payout(tx, found.id, code)
    await _record(tx, found, "payout_sent", actor, billing_code=code)


async def check_confirms(tx: ReadTx, found: Payout, line: str, amount: int, at: datetime) -> None:
    """Check that a line of the bank statement with this amount and time can confirm a payout.

    Refuses `NotAllowedNow`, `PayoutDiffers`, `PayoutLineTaken`, and `Malformed` for an impossible time.
    """
    PAYOUT.after(found.state, PayoutEvent.CONFIRMED)
    if amount != found.amount:
        raise PayoutDiffers(found.amount, amount)
    if await store.payout_of_line(tx, line) is not None:
        raise PayoutLineTaken(line)
    if at < found.approved_at or at > await store.now(tx):
        raise Malformed("moved_at", "within_bounds")


async def confirm(
    tx: Tx, found: Payout, line: str, at: datetime, receipt: str, actor: Actor
) -> None:
    """Post a payout that a line of the bank statement confirms. Refuses what `check_confirms` refuses."""
    await store.lock_payouts(tx)
    await check_confirms(tx, await _reload(tx, found), line, found.amount, at)
    await store.confirm_payout(tx, found.id, line, at, receipt)
    await _record(tx, found, "payout_confirmed", actor, line=line, ntpn=receipt)
    await end_line(tx, found)


async def end_line(tx: Tx, found: Payout) -> None:
    """Resolve the open item in suspense about the line of the bank statement that paid this payout."""
    for one in await suspense.open_about(tx, [str(found.billing_code)], []):
        if one.reason == "account_moved" and one.amount == Rupiah(found.amount):
            await suspense.end(tx, one.id, suspense.Resolution.MATCHED, found.shown)


async def fail(tx: Tx, found: Payout, why: str, actor: Actor) -> None:
    """Mark a payout as failed because it was not paid, so that its duty is free again. Refuses `NotAllowedNow`."""
    await store.lock_payouts(tx)
    PAYOUT.after((await _reload(tx, found)).state, PayoutEvent.FAILED)
    await store.fail_payout(tx, found.id, why)
    await _record(tx, found, "payout_failed", actor)


async def _reload(tx: Tx, found: Payout) -> Payout:
    again = await store.payout(tx, found.id)
    assert again is not None, "payouts stay"
    return again


async def _record(tx: Tx, found: Payout, action: str, actor: Actor, /, **facts: str) -> None:
    await trail.record(
        tx, NOBODY, actor=actor, action=action, subject=found.shown, rupiah=found.amount, **facts
    )
