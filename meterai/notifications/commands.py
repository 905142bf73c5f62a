"""Commands for failed jobs and mails: list and retry."""

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    By,
    DryRun,
    Options,
    Reason,
    Text,
    line,
    tell_counted,
    with_database,
)
from meterai.notifications.levers import RETRY, JobsRetry, identified
from meterai.notifications.model import GivenUpMail
from meterai.notifications.service import given_up
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.work import dead_jobs
from meterai.plumbing.work.dead_jobs import FailedJob

LISTED_MAX = 1_000


def _shown(state: str, one: FailedJob | GivenUpMail) -> dict[str, str]:
    """Return a job or a mail as a line of the list; both have the same fields."""
    if isinstance(one, GivenUpMail):
        kind, handler, since = f"mail {one.template}", "", one.queued_at
    else:
        kind, handler, since = one.kind, one.handler, one.created_at
    return {
        "id": str(one.id),
        "state": state,
        "kind": kind,
        "handler": handler,
        "since": since.isoformat(timespec="seconds"),
        "tries": str(one.tries),
        "fault": one.fault or "",
    }


def list_failed(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """List failing jobs that are still retried, and event handlers and mails that were given up, each with its fault."""

    async def look(database: Database, _: Settings) -> list[dict[str, str]]:
        async with database.reading() as tx:
            return [
                *(_shown("failing", one) for one in await dead_jobs.failing(tx, LISTED_MAX)),
                *(_shown("given up", one) for one in await dead_jobs.dead(tx, LISTED_MAX)),
                *(_shown("given up", one) for one in await given_up(tx, LISTED_MAX)),
            ]

    tell_counted(with_database("jobs list", options, look), as_json=as_json)


def retry(
    which: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Run a failed job again, or send a given-up mail again; WHICH is an id from `jobs list`, or "all"."""
    identified(which)  # checks the id before the database is opened
    done = approvals.pull(options, RETRY, JobsRetry(which), by=by, reason=reason, dry_run=dry_run)
    line(f"{done.rows} will be tried again")
