"""Command that compares the record of a day with payments, refunds and books."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai import suspense
from meterai.commands import (
    NO_OPTIONS,
    By,
    Exit,
    Opens,
    OptionalText,
    Options,
    Text,
    line,
    operator,
    with_database,
)
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.days import read_day
from meterai.payments import PaymentService
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.objects import ObjectStore
from meterai.reconciliation.item_texts import summary
from meterai.reconciliation.model import RecordDay
from meterai.reconciliation.service import Reconciliation
from meterai.suspense import Item

Files = Annotated[
    list[Path] | None,
    Parameter(name="--file", help="A file of the record; may be given more than once."),
]


def reconcile(
    day: Annotated[Text, Parameter(name="DATE")],
    *,
    provider: OptionalText = None,
    file: Files = None,
    by: By = None,
    options: Options = NO_OPTIONS,
) -> None:
    """Compare the record of DATE (2026-11-30, in WIB) with payments, refunds and books.

    The record is the history of the rail, or each `--file`: CSV, XLSX or MT940.  `--provider account` is the operator's
    own account.  The exit status is 0 if the day is final and no break is open afterwards, else 1.
    """
    of = read_day(day, "DATE")
    act = partial(
        _reconcile,
        day=of,
        provider=provider,
        files=file or [],
        actor=operator(by),
        opens=options.program.opens,
    )
    found, items = with_database("reconcile", options, act)
    for one in found:
        line(
            f"{one.provider} {one.day}: {one.state}, {one.lines} lines, {one.matched_percent:.2f} % matched,"
            f" {one.unreadable} unreadable, {one.broken} differ"
        )
    for text in summary(items, SystemClock().now()):
        line(text)
    raise SystemExit(Exit.NO if items or any(one.state != "final" for one in found) else Exit.DONE)


async def _reconcile(
    database: Database,
    settings: Settings,
    *,
    day: date,
    provider: str | None,
    files: Sequence[Path],
    actor: Actor,
    opens: Opens,
) -> tuple[list[RecordDay], list[Item]]:
    objects = ObjectStore(settings.process.directory, keyring_of(settings).derived("objects"))
    async with opens[PaymentService](database, settings) as payments:
        service = Reconciliation(database, payments, objects, settings, SystemClock())
        names = (
            [provider]
            if provider
            else [payments.rails.names()[0]]
            if files
            else payments.rails.names()
        )
        found = [await service.reconcile(name, day, files, actor) for name in names]
    async with database.reading() as tx:
        return found, await suspense.open_items(tx)
