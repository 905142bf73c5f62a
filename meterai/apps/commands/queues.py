"""Commands of the operator about jobs and mails that failed."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from meterai import notifications
from meterai.apps.exits import Exit
from meterai.apps.instance import with_database
from meterai.apps.options import NO_OPTIONS, AsJson, Options, Text, complain, line
from meterai.plumbing import dead_jobs
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database

LISTED_MAX = 1_000


def _shown(state: str, row: Mapping[str, Any]) -> dict[str, str]:
    """A job or a mail in the same words."""
    is_mail = "mail_id" in row
    return {
        "id": str(row["mail_id"] if is_mail else row["job_id"]),
        "state": state,
        "kind": f"mail {row['template']}" if is_mail else row["kind"],
        "handler": row.get("handler") or "",
        "since": row["queued_at" if is_mail else "created_at"].isoformat(timespec="seconds"),
        "tries": str(row["tries"]),
        "fault": row["last_fault" if is_mail else "fault"] or "",
    }


def list_failed(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Jobs that fail and are tried again; handlers and mails that were given up, with why."""

    async def look(database: Database, _: Settings) -> list[dict[str, str]]:
        async with database.transaction() as tx:
            return [
                *(_shown("failing", row) for row in await dead_jobs.failing(tx, LISTED_MAX)),
                *(_shown("given up", row) for row in await dead_jobs.dead(tx, LISTED_MAX)),
                *(_shown("given up", row) for row in await notifications.given_up(tx, LISTED_MAX)),
            ]

    found = with_database("jobs list", options, look)
    if as_json:
        line(json.dumps(found, indent=2))
        return
    for one in found:
        line("  ".join(value for value in one.values() if value))
    line(f"{len(found)} in all")


def retry(which: Text, options: Options = NO_OPTIONS) -> None:
    """Run a job or send a mail again, by its id from the list; or "all" of them."""
    try:
        number = None if which == "all" else UUID(which)
    except ValueError:
        complain(f"{which!r} is neither an id nor 'all'")
        raise SystemExit(Exit.USAGE) from None

    async def again(database: Database, _: Settings) -> int:
        async with database.transaction() as tx:
            return await dead_jobs.retry(tx, number) + await notifications.queue_again(tx, number)

    count = with_database("jobs retry", options, again)
    line(f"{count} will be tried again")
    raise SystemExit(Exit.DONE if count or number is None else Exit.NO)
