"""Commands of recovery: start, status, next, back, hold, go, abandon, refund."""

import json
import time
from typing import Annotated

from cyclopts import Parameter

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    By,
    DryRun,
    Exit,
    Lever,
    NoArguments,
    Options,
    Reason,
    Text,
    line,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.recovery import levers, steps, views
from meterai.recovery.levers import RecoveryStart, ToStep, UnservedOrders
from meterai.recovery.model import STEPS, RecoveryStatus, RecoveryStep
from meterai.recovery.rules import verdict_of

WATCH_SECONDS = 2.0  # seconds between two looks: as often as the worker looks


def start(
    incident: Text = "",
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Begin the recovery from INCIDENT, or from the only open incident: buying and sign-up are closed."""
    asked = RecoveryStart(incident)
    approvals.pull(options, levers.START, asked, by=by, reason=reason, dry_run=dry_run)
    line("the recovery has begun")


def _pull(
    options: Options, lever: Lever, by: str | None, reason: str, *, dry_run: bool, done: str
) -> None:
    approvals.pull(options, lever, NoArguments(), by=by, reason=reason, dry_run=dry_run)
    line(done)


def next_step(
    step: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Move to the next step, whose name is STEP, whatever the live numbers are; a dry run says whether the numbers are good."""
    approvals.pull(options, levers.NEXT, ToStep(step), by=by, reason=reason, dry_run=dry_run)
    line("the recovery goes on")


def back(
    step: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Move back to the previous step, whose name is STEP."""
    approvals.pull(options, levers.BACK, ToStep(step), by=by, reason=reason, dry_run=dry_run)
    line("the recovery goes back one step")


def go(
    options: Options = NO_OPTIONS, *, reason: Reason = "", by: By = None, dry_run: DryRun = False
) -> None:
    """Switch to automatic moves: forward while the numbers are good, back if they are bad."""
    _pull(
        options,
        levers.GO,
        by,
        reason,
        dry_run=dry_run,
        done="the recovery now takes its steps by itself",
    )


def hold(
    options: Options = NO_OPTIONS, *, reason: Reason = "", by: By = None, dry_run: DryRun = False
) -> None:
    """Switch to moves by hand only."""
    _pull(options, levers.HOLD, by, reason, dry_run=dry_run, done="the recovery is held")


def abandon(
    options: Options = NO_OPTIONS, *, reason: Reason = "", by: By = None, dry_run: DryRun = False
) -> None:
    """Abandon the recovery: buying, sign-up and checking return to their state before it."""
    _pull(options, levers.ABANDON, by, reason, dry_run=dry_run, done="the recovery is abandoned")


def refund(
    *orders: Text,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Refund paid orders that are past due, and ORDERS that their buyers no longer want; another person approves it."""
    asked = UnservedOrders(" ".join(orders))
    approvals.pull(options, levers.REFUND, asked, by=by, reason=reason, dry_run=dry_run)
    line("the refunds have begun")


def status(
    options: Options = NO_OPTIONS,
    *,
    watch: Annotated[
        bool,
        Parameter(
            negative="",
            help="Wait until the recovery has ended; the status is 1 if it was abandoned.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the recovery, the numbers of its step, and whether they are good."""
    before: RecoveryStep | None = None
    while True:
        found = with_database("recover status", options, _read_status)
        state = found.recovery.state if found.recovery else None
        if as_json:
            line(json.dumps(views.as_json(found)))
        elif not watch or state != before or state in STEPS:
            for text in _lines(found):
                line(one_line(text))
        before = state
        if not watch or state not in STEPS:
            break
        time.sleep(WATCH_SECONDS)
    if watch and state is RecoveryStep.ABANDONED:
        raise SystemExit(Exit.NO)


async def _read_status(database: Database, _: Settings) -> RecoveryStatus:
    async with database.reading() as tx:
        return await steps.status(tx, SystemClock().now())


def _lines(found: RecoveryStatus) -> list[str]:
    recovery = found.recovery
    if recovery is None:
        return ["no recovery was begun"]
    how = "by itself" if recovery.is_going else "by hand"
    lines = [f"{recovery.shown}: {recovery.state}, since {recovery.moved_at.isoformat()}, {how}"]
    if recovery.state not in STEPS:
        return lines
    lines.append(f"numbers: {verdict_of(recovery.state, found.numbers)}")
    for one in views.figures(recovery.state, found.numbers, "en"):
        bound = f", at most {one.good}: {one.verdict}" if one.verdict else ""
        lines.append(f"  {one.title}: {one.value}{bound}")
    return lines
