"""Event handlers of refunds."""

from datetime import datetime

import structlog

from meterai import notifications, payments
from meterai.kit.ids import new_id, show
from meterai.orders.events import MoneyToReturn
from meterai.payments.events import PaymentDenied, PaymentRefunded, PaymentWon
from meterai.plumbing.database import Tx
from meterai.plumbing.events import on
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.refunds import store
from meterai.refunds.events import RefundRequested, RefundSettled
from meterai.refunds.model import RefundCause
from meterai.refunds.service import RefundService, load, return_unused
from meterai.stamping.events import StampingFailed

_log = structlog.get_logger()


async def return_money(tx: Tx, event: MoneyToReturn, service: RefundService) -> None:
    """Money came that its order has no use for: begin its refund."""
    refund = new_id()
    await store.surplus(
        tx,
        event.account,
        refund,
        cause_key=event.key,
        cause=event.cause,
        order=event.order,
        attempt=event.attempt,
        payment=event.payment,
        amount=event.amount,
        number=payments.refund_number(event.account, refund),
        due_at=service.due(),
    )


async def return_unstamped(tx: Tx, event: StampingFailed, service: RefundService) -> None:
    """A document of an order could not be stamped: begin the refund of its stamps."""
    if event.order is None:
        return
    await return_unused(
        tx,
        event.account,
        event.order,
        cause=RefundCause.NOT_STAMPED,
        due_at=service.due(),
        of=event.stamping,
    )


async def take_chargeback(tx: Tx, event: PaymentDenied) -> None:
    """The payer's bank took back a settled payment or a part of it: book that."""
    loss = await store.denied(tx, event.account, event.subject, event.attempt, event.payment)
    _log.warning("payment_denied", order=show("ord", event.subject), loss=loss)


async def take_won(tx: Tx, event: PaymentWon) -> None:
    """A chargeback was won: book the payment once more."""
    if await store.won(tx, event.account, event.subject, event.attempt, event.payment):
        _log.info("chargeback_won", order=show("ord", event.subject))


async def take_refund_news(tx: Tx, event: PaymentRefunded) -> None:
    """The provider says that a payment was given back: by a refund of ours, or of its own accord.

    Refunds of ours that are on their way are asked about at once, and the provider's record says
    whose it was.  Its answer to a question is about all of the payment so far, a notification about
    one refund: what an answer says and the books have is no news.
    """
    about = (event.account, event.attempt, event.payment)
    await store.ask_now(tx, *about)
    told = event.amount
    if told is not None and event.is_sum and not await store.not_booked(tx, *about, told):
        return
    await store.given_back_told(tx, *about, told)


def _in_both(at: datetime) -> dict[str, str]:
    return {language: format_datetime(at, language) for language in LANGUAGES}


async def tell_requested(tx: Tx, event: RefundRequested) -> None:
    """Money is on its way back: queue the mail that says so, and by when."""
    refund = await load(tx, event.account, event.refund)
    await notifications.queue(
        tx,
        event.account,
        cause=f"refund_requested:{refund.id}",
        template="refund_requested",
        facts={
            "amount": str(refund.amount),
            "order": show("ord", refund.order),
            "number": refund.number,
            "due": _in_both(refund.due_at),
            "why": {
                language: translate(f"refund.cause.{refund.cause}", language)
                for language in LANGUAGES
            },
        },
    )


async def tell_settled(tx: Tx, event: RefundSettled) -> None:
    """The money is back: queue the mail with the receipt."""
    refund = await load(tx, event.account, event.refund)
    await notifications.queue(
        tx,
        event.account,
        cause=f"refund_settled:{refund.id}",
        template="refund_settled",
        facts={
            "amount": str(refund.amount),
            "order": show("ord", refund.order),
            "number": refund.number,
            "bank_number": refund.provider_number,
            "payment": refund.payment,
        }
        | ({"at": _in_both(refund.settled_at)} if refund.settled_at else {}),
    )


HANDLERS = (
    on(PaymentDenied, take_chargeback, gives_up=False),
    on(PaymentWon, take_won, gives_up=False),
    on(PaymentRefunded, take_refund_news, gives_up=False),
    on(MoneyToReturn, return_money, gives_up=False, service=RefundService),
    on(StampingFailed, return_unstamped, gives_up=False, service=RefundService),
    on(RefundRequested, tell_requested, gives_up=True),
    on(RefundSettled, tell_settled, gives_up=True),
)
