"""Effects of stamping."""

from meterai import notifications, orders
from meterai.kit.ids import show
from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import EventHandler, Job, gives_up
from meterai.plumbing.messages import translate
from meterai.stamping import store
from meterai.stamping.service import StampingService, load


def reserve_for(service: StampingService) -> EventHandler:
    """An order of documents was paid: hold its stamps for its documents."""

    async def reserve(tx: Tx, job: Job) -> None:
        await service.reserve_order(tx, job.account, job.uuid("order"))

    return reserve


async def drop_waiting(tx: Tx, job: Job) -> None:
    """An order came to nothing: its documents wait no longer."""
    await store.drop_waiting(tx, job.account, job.uuid("order"))


async def finish_order(tx: Tx, job: Job) -> None:
    """A stamping ended: its order is executed when no other is open and one was delivered."""
    if job.facts["order"] is None:
        return
    order = job.uuid("order")
    left = await store.unfinished_of_order(tx, job.account, order)
    if left["open"] == 0 and left["delivered"] > 0:
        await orders.finish(tx, job.account, order)


@gives_up
async def tell_delivered(tx: Tx, job: Job) -> None:
    """A document is stamped."""
    stamping = await load(tx, job.account, job.uuid("stamping"))
    await notifications.queue(
        tx,
        job.account,
        cause=f"stamping_delivered:{stamping.id}",
        template="stamping_delivered",
        facts={
            "document": stamping.document_name,
            "serials": ", ".join(stamping.serials),
            "stamping": show("stg", stamping.id),
        },
    )


@gives_up
async def tell_failed(tx: Tx, job: Job) -> None:
    """A document could not be stamped."""
    stamping = await load(tx, job.account, job.uuid("stamping"))
    reason = {
        language: translate(f"refusal.{stamping.refused}", language) for language in ("id", "en")
    }
    await notifications.queue(
        tx,
        job.account,
        cause=f"stamping_failed:{stamping.id}",
        template="stamping_failed",
        facts={"document": stamping.document_name, "reason": reason},
    )
