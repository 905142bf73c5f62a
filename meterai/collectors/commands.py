"""Commands of collectors."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai import approvals
from meterai.collectors import levers, store
from meterai.collectors.lists import Feed, MonthLists
from meterai.collectors.service import CollectorService
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Between,
    By,
    DryRun,
    Options,
    Reason,
    Text,
    line,
    tell_all,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.days import Month
from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import keyring_of

RUPIAH_MAX = 10**12  # a larger amount is a typing error
Rupiahs = Annotated[int, Parameter(help="Rupiah.", validator=Between(1, RUPIAH_MAX))]
Digits = Annotated[Text, Parameter(help="Digits.")]


def list_collectors(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show every collector: its monthly limit, its debt, its waiting draws, and its deposits to be confirmed."""

    async def look(database: Database, _: Settings) -> list[dict[str, object]]:
        async with database.reading() as tx:
            return [
                {
                    "account": show("acc", one.account),
                    "name": one.name,
                    "npwp": one.npwp,
                    "state": one.state,
                    "limit": one.limit_rupiah,
                    "owed": sum(due.open for due in await store.months(tx, one.account)),
                    "waiting": (await store.waits(tx, one.account)).draws,
                    "told": " ".join(
                        f"{deposit.ntpn}:{deposit.month:%Y-%m}:{deposit.amount}:{deposit.paid_on}"
                        for deposit in await store.deposits(tx, one.account)
                        if deposit.state == "told"
                    ),
                }
                for one in await store.collectors(tx)
            ]

    tell_all(with_database("collectors list", options, look), as_json=as_json)


def approve(  # noqa: PLR0913 - what was agreed, and how a lever is pulled
    organization: Text,
    *,
    name: Text,
    limit: Rupiahs,
    npwp: Digits = "",
    nitku: Digits = "",
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Make an ORGANIZATION (acc_...) a collector with a monthly limit; a second person approves."""
    asked = levers.CollectorAsked(organization, name, limit, npwp, nitku)
    approvals.pull(options, levers.APPROVE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} is a collector")


def change(  # noqa: PLR0913 - what was agreed, and how a lever is pulled
    organization: Text,
    *,
    name: Text,
    limit: Rupiahs,
    npwp: Digits = "",
    nitku: Digits = "",
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Replace all terms of a collector; a second person approves."""
    asked = levers.CollectorAsked(organization, name, limit, npwp, nitku)
    approvals.pull(options, levers.CHANGE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} draws at these terms")


def close(
    organization: Text,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Close a collector: it draws no more, and still has to deposit the duty that it owes."""
    asked = levers.CollectorNamed(organization)
    approvals.pull(options, levers.CLOSE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} can no longer draw")


def confirm(  # noqa: PLR0913 - a deposit, and how a lever is pulled
    organization: Text,
    ntpn: Text,
    *,
    month: Text,
    rupiah: Rupiahs,
    paid_on: Text,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Confirm a deposit to the treasury by its NTPN, for the duty of a MONTH (2026-11); draws that waited for it are taken."""
    asked = levers.DepositMade(organization, ntpn, month, rupiah, paid_on)
    approvals.pull(options, levers.CONFIRM, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{rupiah} of {month} are deposited")


def write_feed(
    month: Text,
    *,
    out: Annotated[Path, Parameter(help="A new folder for the result.")],
    options: Options = NO_OPTIONS,
) -> None:
    """Write the feed of a MONTH (2026-11) for the tax office: each document of each collector, and a signed manifest."""

    async def make(database: Database, settings: Settings) -> Feed:
        clock = SystemClock()
        service = CollectorService(database, settings, clock)
        lists = MonthLists(database, service, keyring_of(settings), settings, clock)
        return await lists.feed(Month.read(month))

    found = with_database("collectors feed", options, make)
    out.mkdir(parents=True, exist_ok=True)
    (out / found.name).write_bytes(found.packed)
    (out / found.manifest_name).write_text(found.manifest)
    line(f"{found.rows} documents: {out}")
