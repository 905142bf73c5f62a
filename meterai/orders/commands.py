"""Commands that stop and resume the issuing of stamps."""

from meterai import approvals
from meterai.commands import NO_OPTIONS, By, DryRun, NoArguments, Options, Reason, Text, line
from meterai.orders.levers import OPEN, STOP


def stop_issuing(
    reason: Text, options: Options = NO_OPTIONS, *, by: By = None, dry_run: DryRun = False
) -> None:
    """Stop issuing stamps: paid orders wait, and their money is returned at their due time."""
    approvals.pull(options, STOP, NoArguments(), by=by, reason=reason, dry_run=dry_run)
    line(f"issuing is stopped: {reason}")


def open_issuing(
    options: Options = NO_OPTIONS, *, reason: Reason = "", by: By = None, dry_run: DryRun = False
) -> None:
    """Resume issuing stamps: paid orders that still wait are executed."""
    approvals.pull(options, OPEN, NoArguments(), by=by, reason=reason, dry_run=dry_run)
    line("issuing is open")
