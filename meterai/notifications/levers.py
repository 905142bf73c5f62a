"""Lever (staff action with a forecast) of jobs and mails: retry jobs and mails that were given up."""

from uuid import UUID

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.refusal import Malformed, NotFound
from meterai.notifications.model import JOB_SUBJECT
from meterai.notifications.service import queue_again, would_queue_again
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.work import dead_jobs

ALL = "all"


class JobsRetry(msgspec.Struct, frozen=True):
    """Argument of a lever (staff action): the id of the job or mail to retry, or `all`."""

    which: str


def identified(which: str) -> UUID | None:
    """Return the id in the text `which`; None for the text `all`.  Refuses `Malformed`."""
    try:
        return None if which == ALL else UUID(which)
    except ValueError:
        raise Malformed("which", "known_name") from None


async def _would_retry(tx: ReadTx, asked: JobsRetry, _pull: Pull) -> Forecast:
    identifier = identified(asked.which)
    jobs, mails = (
        await dead_jobs.would_retry(tx, identifier),
        await would_queue_again(tx, identifier),
    )
    if identifier is not None and not jobs and not mails:
        raise NotFound("no failed job or mail has this id")
    effects = [
        *(Effect("jobs_retried", {"what": one.what, "number": one.number}) for one in jobs),
        *(Effect("mails_retried", {"what": one.what, "number": one.number}) for one in mails),
    ]
    rows = sum(one.number for one in (*jobs, *mails))
    return Forecast(effects or [Effect("nothing_retried")], rows)


async def _retry(tx: Tx, asked: JobsRetry, _pull: Pull) -> None:
    identifier = identified(asked.which)
    await dead_jobs.retry(tx, identifier)
    await queue_again(tx, identifier)


RETRY = Lever(
    name="jobs retry",
    permission=Permission.CONSOLE_OPERATIONS,
    arguments=JobsRetry,
    forecast=_would_retry,
    carry_out=_retry,
    offered=offered_on(JOB_SUBJECT.kind, "which"),
)
LEVERS = (RETRY,)
