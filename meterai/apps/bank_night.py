"""Each night the books are compared with the bank's own record, by one worker.

The comparison is that of `meterai audit --bank`.  It reads the tables of several rooms, so it is of the
applications, as the audit is; what came of it is in `bank_nights` (room `audit`), in the audit trail,
in metrics, and on `/readyz` as information: a difference takes nothing out of service.  A night in
which the bank does not answer is tried again, and the next night begins where the last one that found
no difference ended.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog

from meterai import audit
from meterai.accounts import NOBODY
from meterai.apps.audit_bank import DAYS, Compared, compare
from meterai.audit import Night, Nights, last_night
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import WIB
from meterai.kit.refusal import Refusal
from meterai.payments import PaymentService, PaymentSettings
from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import Run
from meterai.room import Container

TASK = "compare_with_bank"
DAYS_MAX = 45  # looked back at most; QRIS: no acquirer answers about more
LEASE_SECONDS = 3600.0  # of one comparison, and the pause before it is tried again
_log = structlog.get_logger()


def nightly(container: Container) -> Run:
    """A periodic task that compares once a night, and shows how long ago that was."""

    async def run() -> int:
        nights, now = container.of(Nights), container.clock.now()
        if night := await _due(container, nights, now):
            await _compare(container, nights, night)
        await nights.show(container.clock.now())
        return 0

    return run


async def _due(container: Container, nights: Nights, now: datetime) -> Night | None:
    """The night that began last, where this worker may compare it."""
    hour = container.settings.of(PaymentSettings).bank_compared_at_hour
    local = now.astimezone(WIB)
    return await nights.begin(
        (local - timedelta(hours=hour)).date(),
        at_least=now - timedelta(days=DAYS),
        at_most=now - timedelta(days=DAYS_MAX),
        seconds=LEASE_SECONDS,
        is_hour=local.hour == hour,
    )


async def _compare(container: Container, nights: Nights, night: Night) -> None:
    database, now = container.database, container.clock.now()
    try:
        found = await compare(database, container.of(PaymentService), night.begins, now)
    except Refusal as refusal:
        await database.run(partial(_failed, nights=nights, night=night, now=now, code=refusal.code))
        _log.error("bank_not_compared", night=str(night.night), code=refusal.code)
    else:
        await database.run(partial(_ended, nights=nights, night=night, now=now, found=found))
        tell = _log.info if found.finding.holds else _log.error
        tell("bank_compared", night=str(night.night), differences=found.finding.broken)


async def _ended(tx: Tx, nights: Nights, night: Night, now: datetime, found: Compared) -> None:
    counts = {
        "payments": found.payments,
        "differences": found.finding.broken,
        "unreadable": found.unreadable,
    }
    await nights.ended(tx, night, now, **counts)
    begins = night.begins.isoformat()
    await audit.record(
        tx,
        NOBODY,
        actor=Actor(ActorKind.JOB, TASK),
        action="bank_compared",
        subject=f"night_{night.night}",
        begins=begins,
        **counts,
    )


async def _failed(tx: Tx, nights: Nights, night: Night, now: datetime, code: str) -> None:
    await nights.failed(tx, night, code)
    if night.tries == 1:  # told once a night
        last = await last_night(tx)
        await audit.record(
            tx,
            NOBODY,
            actor=Actor(ActorKind.JOB, TASK),
            action="bank_not_compared",
            subject=f"night_{night.night}",
            fault=code,
            days_missing=last.days_missing(now) if last else [],
        )
