"""Ask the unused stamps of an order back for its owner."""

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    By,
    DryRun,
    Options,
    Text,
    line,
)
from meterai.refunds.levers import ASK, RefundsAsk


def ask(
    order: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Ask the unused stamps of an order back for its owner; the money goes to where it came from."""
    done = approvals.pull(options, ASK, RefundsAsk(order), by=by, reason=reason, dry_run=dry_run)
    line(f"{done.rows} stamps of {order} go back, and Rp {done.rupiah} with them")
