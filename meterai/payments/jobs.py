"""Effects of payments."""

from datetime import date

import structlog

from meterai.payments import store
from meterai.payments.adapters.snap import read_notification
from meterai.payments.service import PROVIDER, act_on
from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import Job

_log = structlog.get_logger()


async def take_from_inbox(tx: Tx, job: Job) -> None:
    """A notification was kept: do what it says, once."""
    external_id = job.text("external_id")
    sent_on = date.fromisoformat(job.text("sent_on"))
    kept = await store.inboxed(tx, PROVIDER, external_id, sent_on)
    if kept is None or kept["outcome"] is not None:
        return
    outcome = await act_on(tx, PROVIDER, external_id, sent_on, read_notification(kept["body"]))
    _log.info("notification_taken", external_id=external_id, outcome=outcome)
