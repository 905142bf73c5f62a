"""Commands of personal data: export the data of a person, and keep the register of breaches."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai import accounts, trail
from meterai.approvals import pull
from meterai.commands import (
    NO_OPTIONS,
    By,
    DryRun,
    Exit,
    Options,
    Reason,
    Text,
    complain,
    line,
    operator,
    text_only,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import show
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.db.figures import moment
from meterai.privacy import levers
from meterai.privacy.breaches import BreachRecipient
from meterai.privacy.copies import FILES_MAX, ROWS_MAX, Copy, gather, zipped


def export(email: Text, *, out: Path, options: Options = NO_OPTIONS, by: By = None) -> None:
    """Write all data of the person with this mail address to a new zip file that only the current user may read."""
    actor = operator(by)

    async def look(database: Database, settings: Settings) -> Copy:
        async def act(tx: Tx) -> Copy:
            account = await accounts.account_of(tx, email)
            person = await accounts.person_of(tx, account)
            if person is None:
                raise NotFound("no person signs in to this account")
            subject = show("acc", account)
            await trail.record(tx, account, actor=actor, action="data_exported", subject=subject)
            rooms = options.program.personal
            most = ROWS_MAX, FILES_MAX
            return await gather(tx, rooms, person, settings, SystemClock().now(), most)

        return await database.run(act)

    copy = with_database("privacy export", options, look)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(zipped(copy))
    except OSError as error:
        complain(f"{out}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None
    rows = sum(len(one.rows) for tables in copy.rooms.values() for one in tables)
    line(f"{rows} rows, {len(copy.files)} files: {out}")


def open_breach(  # noqa: PLR0913 - the facts that the law demands, in both languages
    known_at: Text,
    subjects: Text,
    *,
    exposed_id: Text,
    exposed_en: Text,
    happened_id: Text,
    happened_en: Text,
    handling_id: Text,
    handling_en: Text,
    options: Options = NO_OPTIONS,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Enter a breach. KNOWN_AT is the time of discovery (a moment, or a day in WIB); SUBJECTS is `all`, or accounts
    separated by commas.
    """
    asked = levers.OpenArguments(
        moment(known_at, "known_at"),
        subjects,
        exposed_id,
        exposed_en,
        happened_id,
        happened_en,
        handling_id,
        handling_en,
    )
    pull(options, levers.OPEN, asked, by=by, reason=reason, dry_run=dry_run)
    line("the breach is in the register")


def tell_breach(
    breach: Text,
    who: BreachRecipient,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Record that the agency was notified of a breach, or notify its subjects by mail; a second person approves it."""
    asked = levers.TellArguments(breach, who)
    pull(options, levers.TELL, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{who} of {breach}: notified")


def close_breach(
    breach: Text,
    options: Options = NO_OPTIONS,
    *,
    not_told: Annotated[
        str, Parameter(help="The reason why somebody was not notified.", validator=text_only)
    ] = "",
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Close a breach after subjects and agency were notified, or with the reason why they were not."""
    asked = levers.BreachCloseArguments(breach, not_told)
    pull(options, levers.CLOSE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{breach} is closed")
