"""Event handlers of cases."""

from meterai import refunds
from meterai.cases.events import ComplaintSent
from meterai.cases.service import CaseService
from meterai.payments.events import RefundSettled
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import on


async def take_complaint(tx: Tx, event: ComplaintSent, service: CaseService) -> None:
    """Take a complaint sent without sign-in: look up its subject, and answer by mail."""
    await service.take_sent(tx, event)


async def close_with_money(tx: Tx, event: RefundSettled, service: CaseService) -> None:
    """Close the cases about money of an order once all its money is returned."""
    refund = await refunds.load(tx, event.account, event.refund)
    await service.money_is_back(tx, event.account, refund.subject)


HANDLERS = (
    on(ComplaintSent, take_complaint, gives_up=False, service=CaseService),
    on(RefundSettled, close_with_money, gives_up=False, service=CaseService),
)
