"""Commands for payment rails: list all rails, take a rail out of use, put a rail back."""

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
    tell_all,
    with_database,
)
from meterai.payments import store
from meterai.payments.levers import IN, OUT, RailNamed
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database


def list_rails(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """List all payment rails in the order of `payment_rails`; for each that an operator took out, show since when and why."""

    async def look(database: Database, settings: Settings) -> list[dict[str, object]]:
        out = {one.rail: one for one in await database.once(store.out)}
        told: list[dict[str, object]] = []
        for name in settings.of(PaymentSettings).payment_rails.split():
            found = out.get(name)
            more = {"since": found.out_at.isoformat(), "reason": found.reason} if found else {}
            told.append({"rail": name, "is_out": found is not None, **more})
        return told

    tell_all(with_database("rails list", options, look), as_json=as_json)


def take_out(
    rail: Text,
    reason: Text,
    options: Options = NO_OPTIONS,
    *,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Take a payment rail out of use: new payments go by other rails of its methods; payments made by this rail still count."""
    approvals.pull(options, OUT, RailNamed(rail), by=by, reason=reason, dry_run=dry_run)
    line(f"{rail} is out: {reason}")


def put_back(
    rail: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Put a payment rail back into use, so that new payments go by it again."""
    approvals.pull(options, IN, RailNamed(rail), by=by, reason=reason, dry_run=dry_run)
    line(f"{rail} is in")
