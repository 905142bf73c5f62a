"""Event handlers of refunds."""

from datetime import datetime

import msgspec
import structlog

from meterai import notifications, payments, suspense
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import EventHandler, Job, gives_up
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.refunds import store
from meterai.refunds.model import RefundCause
from meterai.refunds.service import RefundService, load

_log = structlog.get_logger()


def return_money_for(service: RefundService) -> EventHandler:
    """Money came that its order has no use for."""

    async def return_money(tx: Tx, job: Job) -> None:
        refund = new_id()
        await store.surplus(
            tx,
            job.account,
            refund,
            cause_key=job.text("key"),
            cause=job.text("cause"),
            order=job.uuid("order"),
            attempt=job.uuid("attempt"),
            payment=job.text("payment"),
            amount=job.number("amount"),
            number=payments.refund_number(job.account, refund),
            due_at=service.due(),
        )

    return return_money


def return_unstamped_for(service: RefundService) -> EventHandler:
    """A document of an order could not be stamped: its stamps and their money go back."""

    async def return_unstamped(tx: Tx, job: Job) -> None:
        if job.facts["order"] is None:
            return
        refund = new_id()
        await store.unused(
            tx,
            job.account,
            job.uuid("order"),
            refund,
            cause_key=f"not_stamped:{job.uuid('stamping')}",
            cause=RefundCause.NOT_STAMPED,
            number=payments.refund_number(job.account, refund),
            due_at=service.due(),
        )

    return return_unstamped


async def take_chargeback(tx: Tx, job: Job) -> None:
    """The payer's bank took a settled payment back, or a part of it."""
    loss = await tx.value(
        store.DENIED,
        job.account,
        job.uuid("subject"),
        job.uuid("attempt"),
        job.text("payment"),
    )
    _log.warning("payment_denied", order=show("ord", job.uuid("subject")), loss=loss)


async def take_refund_news(tx: Tx, job: Job) -> None:
    """The provider says that a payment was given back.

    Where a refund of ours is on its way, it is asked about at once.  Where ours do not explain it,
    the provider gave money back by itself: somebody must look before it is given back twice.
    """
    about = (job.account, job.uuid("attempt"), job.text("payment"))
    told = job.facts["amount"]
    found = await tx.one(store.ASK_NOW, *about, *about)
    assert found is not None
    if found["under_way"] or (isinstance(told, int) and told <= found["settled"]):
        return
    reference, payment = payments.reference_of(*about[:2]), about[2]
    await suspense.keep(
        tx,
        suspense.News(
            key=f"refunded:{reference}:{payment}:{told}",
            source="notification",
            reason="refunded_there",
            told=msgspec.json.encode(job.facts),
            reference=reference,
            payment=payment,
            amount=Rupiah(told) if isinstance(told, int) else None,
        ),
    )


def _in_both(at: datetime) -> dict[str, str]:
    return {language: format_datetime(at, language) for language in LANGUAGES}


@gives_up
async def tell_requested(tx: Tx, job: Job) -> None:
    """Money is on its way back: say so, and by when."""
    refund = await load(tx, job.account, job.uuid("refund"))
    await notifications.queue(
        tx,
        job.account,
        cause=f"refund_requested:{refund.id}",
        template="refund_requested",
        facts={
            "amount": str(refund.amount),
            "order": show("ord", refund.order),
            "due": _in_both(refund.due_at),
            "why": {
                language: translate(f"refund.cause.{refund.cause}", language)
                for language in LANGUAGES
            },
        },
    )


@gives_up
async def tell_settled(tx: Tx, job: Job) -> None:
    """The money is back: the receipt."""
    refund = await load(tx, job.account, job.uuid("refund"))
    await notifications.queue(
        tx,
        job.account,
        cause=f"refund_settled:{refund.id}",
        template="refund_settled",
        facts={
            "amount": str(refund.amount),
            "order": show("ord", refund.order),
            "number": refund.number,
            "bank_number": refund.provider_number,
        },
    )
