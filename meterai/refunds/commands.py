"""Say how an item in suspense ended; ask the unused stamps of an order back for its owner."""

from typing import Literal

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    By,
    DryRun,
    OptionalText,
    Options,
    Text,
    line,
)
from meterai.refunds.levers import ASK, RESOLVE, RefundsAsk, SuspenseResolve


def resolve_item(  # noqa: PLR0913 - each is a word of the command
    item: Text,
    how: Literal["returned", "dismissed", "applied"],
    *,
    note: Text,
    order: OptionalText = None,
    email: OptionalText = None,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Say how an item in suspense ended.

    `returned`: the bank gave its money back to the payer (--note: the bank's number of that).
    `applied`: its money is for an order (--order, and --email of its account) that waits for exactly this sum.
    `dismissed`: somebody looked, it holds no money, and there is nothing to do (--note: why).
    """
    asked = SuspenseResolve(item, how, order or "", email or "")
    approvals.pull(options, RESOLVE, asked, by=by, reason=note, dry_run=dry_run)
    line(f"{item} is {how}")


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
