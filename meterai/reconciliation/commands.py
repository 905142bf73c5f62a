"""Commands that list breaks between records and books, and resolve them."""

import json

from meterai import approvals, suspense
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    By,
    DryRun,
    OptionalText,
    Options,
    Text,
    line,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.reconciliation.item_texts import facts, lines, summary
from meterai.reconciliation.levers import (
    APPLY,
    DISMISS,
    FEE,
    MATCH,
    RETURN,
    WRITE_OFF,
    BreakApply,
    BreakItem,
    BreakMatch,
    BreakReturn,
)
from meterai.suspense import Item


def show_breaks(
    item: OptionalText = None, *, options: Options = NO_OPTIONS, as_json: AsJson = False
) -> None:
    """Show the open breaks by age, the most urgent first; or one item with its evidence."""
    now = SystemClock().now()

    async def look(database: Database, _: Settings) -> tuple[list[Item], str]:
        async with database.reading() as tx:
            if item is None:
                return await suspense.open_items(tx), ""
            identifier = read("sus", item)
            found = await suspense.look(tx, identifier)
            return [found], (await suspense.evidence(tx, identifier)).decode("utf-8", "replace")

    found, evidence = with_database("breaks show", options, look)
    if as_json:
        told = [facts(one, now) for one in found]
        line(json.dumps(told if item is None else told[0] | {"evidence": evidence}, indent=2))
        return
    for one in found:
        for text in lines(one, now):
            line(text)
    if item is None:
        for text in summary(found, now):
            line(text)
    elif evidence:
        line(evidence)


def match(
    item: Text,
    to: Text,
    *,
    note: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Match an item with the payment, refund or other open item TO that it belongs to."""
    asked = BreakMatch(item, to)
    approvals.pull(options, MATCH, asked, by=by, reason=note, dry_run=dry_run)
    line(f"{item} is matched")


def apply(
    item: Text,
    *,
    order: Text,
    email: Text,
    note: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Use the money of an item for an order that waits for exactly this sum: its buyer gets what was paid for."""
    asked = BreakApply(item, order, email)
    approvals.pull(options, APPLY, asked, by=by, reason=note, dry_run=dry_run)
    line(f"{item} is applied")


def give_back(
    item: Text,
    *,
    number: Text,
    note: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Record that the provider returned the money of an item to its payer, under this number of the provider."""
    asked = BreakReturn(item, number)
    approvals.pull(options, RETURN, asked, by=by, reason=note, dry_run=dry_run)
    line(f"{item} is returned")


def fee(
    item: Text, *, note: Text, by: By = None, dry_run: DryRun = False, options: Options = NO_OPTIONS
) -> None:
    """Book the difference of an item as a fee of the provider, or as the tax on a fee."""
    approvals.pull(options, FEE, BreakItem(item), by=by, reason=note, dry_run=dry_run)
    line(f"{item} is booked")


def write_off(
    item: Text, *, note: Text, by: By = None, dry_run: DryRun = False, options: Options = NO_OPTIONS
) -> None:
    """Write off the difference of an item that nobody can explain; a second person has to approve."""
    approvals.pull(options, WRITE_OFF, BreakItem(item), by=by, reason=note, dry_run=dry_run)
    line(f"{item} is written off")


def dismiss(
    item: Text, *, note: Text, by: By = None, dry_run: DryRun = False, options: Options = NO_OPTIONS
) -> None:
    """Dismiss an item without money: somebody looked at it, and there is nothing to do."""
    approvals.pull(options, DISMISS, BreakItem(item), by=by, reason=note, dry_run=dry_run)
    line(f"{item} is dismissed")
