"""Command that checks every invariant of money and stamps."""

import json
import secrets
import sys
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter

from meterai.audit.report import AuditRequest, audit_all
from meterai.audit.seals import DRAWN, DeltaSample
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Between,
    Exit,
    Options,
    complain,
    exit_of,
    line,
    with_database,
)
from meterai.kit.refusal import Refusal
from meterai.reconciliation import DAYS as BANK_DAYS

SEALS_MAX = 1_000_000_000  # more than there are documents; for all, `all` is given
SEED_MAX = 0x7FFF_FFFF_FFFF_FFFF
BANK_DAYS_MAX = 366  # banks keep records for no longer
SealCount = Annotated[int | Literal["all"], Parameter(validator=Between(0, SEALS_MAX))]
Seed = Annotated[int | None, Parameter(validator=Between(0, SEED_MAX))]
BankDays = Annotated[int, Parameter(validator=Between(1, BANK_DAYS_MAX))]


def audit(
    options: Options = NO_OPTIONS,
    *,
    incremental: Annotated[bool, Parameter(negative="")] = False,
    seals: SealCount = DRAWN,
    seed: Seed = None,
    bank: Annotated[bool, Parameter(negative="")] = False,
    bank_days: BankDays = BANK_DAYS,
    as_json: AsJson = False,
) -> None:
    """Check every invariant of money and stamps.

    Exit status: 0 if all invariants hold, 1 if one is broken, 3 if the audit could not be completed.

    A full audit reads all history. With `--incremental`, it reads rows written since the last clean audit, and proves
    that older rows are unchanged. `--seals` is the number of delivered documents to open (`all`: every document),
    drawn at random with `--seed`. `--bank` compares the last `--bank-days` days with the bank's record.
    """
    at_most = None if seals == "all" else seals
    request = AuditRequest(
        is_incremental=incremental,
        drawing=DeltaSample(secrets.randbits(32) if seed is None else seed, at_most),
        bank_days=bank_days if bank else 0,
    )
    program, begun = options.program, set[int]()
    act = partial(
        audit_all,
        registered=program.audit,
        request=request,
        tell=partial(_tell, begun),
        opens=program.opens,
    )
    try:
        told = with_database("audit", options, act)
    except Refusal as refusal:
        if exit_of(refusal) is not Exit.NO:
            raise
        # A refusal (such as a bank that does not answer) is no finding; the audit is incomplete.
        complain(f"the audit could not be completed: {refusal.code}")
        raise SystemExit(Exit.UNJUDGED) from None
    if as_json:
        line(json.dumps(told.as_json(), indent=2))
    else:
        for finding in told.audit.findings:
            mark = "holds " if finding.holds else f"BROKEN ({finding.broken})"
            line(f"{mark} {finding.invariant.name}")
            for row in finding.evidence:
                line("        " + ", ".join(f"{name}={value}" for name, value in row.items()))
        for note in told.notes:
            line(note)
        line("every invariant holds" if told.audit.holds else "NOT every invariant holds")
    raise SystemExit(Exit.DONE if told.audit.holds else Exit.NO)


def _tell(begun: set[int], done: int, parts: int, name: str) -> None:
    """Print the part of the audit that runs now: on a terminal always on the same line, elsewhere each part on a new line."""
    if parts > 1 and sys.stderr.isatty():
        sys.stderr.write(f"\r\033[Kpart {done + 1} of {parts}: {name}")
    elif parts > 1 and done not in begun:
        begun.add(done)
        sys.stderr.write(f"part {done + 1} of {parts}\n")
    sys.stderr.flush()
