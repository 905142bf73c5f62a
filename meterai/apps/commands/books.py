"""Commands of the operator about money and stamps."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from meterai import stamps, suspense
from meterai.apps.audit import Audit
from meterai.apps.audit import audit as check_everything
from meterai.apps.instance import database_of
from meterai.apps.options import NO_OPTIONS, AsJson, Options, line
from meterai.kit.ids import read, show
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.plumbing.migrations import migrate

Answer = TypeVar("Answer")


def with_database(settings: Settings, act: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """Do something with the migrated database of an instance, running or not."""

    async def run(settings: Settings) -> Answer:
        database = Database(settings.database_url, connections=2)
        await database.open()
        try:
            return await act(database)
        finally:
            await database.close()

    with database_of(settings) as found:
        migrate(found.database_url)
        return asyncio.run(run(found))


def audit(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Check every invariant of money and stamps.  Exit status 0 only if all hold."""
    found: Audit = with_database(options.settings("audit"), check_everything)
    if as_json:
        line(json.dumps(found.as_json(), indent=2))
    else:
        for finding in found.findings:
            mark = "holds " if finding.holds else f"BROKEN ({finding.broken})"
            line(f"{mark} {finding.invariant.name}")
            for row in finding.evidence:
                line("        " + ", ".join(f"{name}={value}" for name, value in row.items()))
        line("every invariant holds" if found.holds else "NOT every invariant holds")
    raise SystemExit(0 if found.holds else 1)


def stop_issuing(reason: str, options: Options = NO_OPTIONS) -> None:
    """Stop issuing: paid orders wait, and their money goes back when it is due."""
    _set_issuing(options.settings("issuing stop"), is_open=False, reason=reason)


def open_issuing(options: Options = NO_OPTIONS) -> None:
    """Issue again: paid orders that still wait are executed."""
    _set_issuing(options.settings("issuing open"), is_open=True, reason="")


def _set_issuing(settings: Settings, *, is_open: bool, reason: str) -> None:
    async def change(database: Database) -> None:
        async with database.transaction() as tx:
            await stamps.set_issuing(tx, is_open=is_open, reason=reason)

    with_database(settings, change)
    line("issuing is open" if is_open else f"issuing is stopped: {reason}")


def suspense_list(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show what the bank told us and nobody can place yet, the most urgent first."""

    async def look(database: Database) -> list[suspense.Item]:
        async with database.transaction() as tx:
            return await suspense.open_items(tx)

    found = with_database(options.settings("suspense list"), look)
    if as_json:
        line(json.dumps([_item(one) for one in found], indent=2))
        return
    for one in found:
        facts = ", ".join(f"{name}={value}" for name, value in _item(one).items() if value)
        line(facts)
    line(f"{len(found)} open")


def _item(item: suspense.Item) -> dict[str, object]:
    return {
        "id": show("sus", item.id),
        "reason": item.reason,
        "reference": item.reference,
        "payment": item.payment,
        "amount": item.amount and item.amount.value,
        "booked": item.booked.value,
        "owner": item.owner,
        "opened_at": item.opened_at.isoformat(),
        "due_at": item.due_at.isoformat(),
        "times_told": item.times_told,
        "source": item.source,
    }


def suspense_resolve(
    item: str,
    how: Literal["returned", "dismissed"],
    *,
    note: str,
    options: Options = NO_OPTIONS,
) -> None:
    """Say how an item in suspense ended.

    `returned`: the bank gave its money back to the payer (--note: the bank's number of that).
    `dismissed`: somebody looked, it holds no money, and there is nothing to do (--note: why).
    """
    identifier = read("sus", item)

    async def resolve(database: Database) -> None:
        desk = suspense.SuspenseDesk(database)
        await desk.resolve(identifier, suspense.Resolution(how), by="operator", note=note)

    with_database(options.settings("suspense resolve"), resolve)
    line(f"{item} is {how}")
