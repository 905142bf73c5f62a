"""Event handlers of finance."""

from meterai.finance import payouts, store
from meterai.finance.model import PayoutState
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import on
from meterai.reconciliation.events import DutyLeft

_ACTOR = Actor(ActorKind.JOB, "bank_statement")


async def confirm_payout(tx: Tx, event: DutyLeft) -> None:
    """Confirm the payout that a line of the bank statement pays, if the line has the number of the state's receipt.

    A payout whose line has no such number is confirmed by a person.
    """
    found = await store.payout_by_code(tx, event.billing_code, event.amount)
    if found is None:
        return
    if found.state is PayoutState.SENT and found.sent_at and event.receipt:
        at = max(event.moved_at, found.sent_at)  # a statement may give the day only
        await payouts.confirm(tx, found, event.line, at, event.receipt, _ACTOR)
    elif found.state is PayoutState.CONFIRMED:
        await payouts.end_line(tx, found)


HANDLERS = (on(DutyLeft, confirm_payout, gives_up=False),)
