"""Events of batches that are published to webhooks."""

from meterai.accounts import Permission
from meterai.batches.events import BatchFinished
from meterai.batches.model import BATCH_KIND
from meterai.kit.ids import show
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.work.published import PublicEvent, Told


async def _payload(_: ReadTx, event: BatchFinished) -> Told:
    return {
        "batch_id": show(BATCH_KIND, event.batch),
        "state": event.state,
        "delivered": event.delivered,
        "wrong": event.wrong,
        "cancelled": event.cancelled,
    }


PUBLISHED = (PublicEvent("batch.finished", BatchFinished, Permission.STAMPING_READ, _payload),)
