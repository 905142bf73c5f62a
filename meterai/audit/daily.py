"""The automatic audit: from the first day on, it adds an audit point to the chain of clean audits each night.

Later audits compare old rows with the points, so points are made without waiting for a person. Only one worker audits
at a time. After an audit with findings, these are reported, no point is recorded, and the audit is repeated an hour
later.
"""

from datetime import datetime, timedelta
from time import monotonic

import structlog

from meterai.audit import metrics, store
from meterai.audit.model import AuditState
from meterai.audit.points import SETTLED_AFTER
from meterai.audit.report import AuditRequest, audit_all
from meterai.kit.clock import WIB
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container

TASK = "audit"
LOOK_SECONDS = 60.0
NIGHT_HOUR = 3  # hour in WIB: few people buy then, and a scheduled full audit has ended
EVENING = timedelta(hours=4)  # before `NIGHT_HOUR`: no audit is needed if a point is younger
TURN_SECONDS = 7_200.0  # time limit of one audit, which takes minutes for millions of orders
REST_SECONDS = 3_600.0  # pause after an audit with findings
_log = structlog.get_logger()


def needed_since(now: datetime) -> datetime:
    """Return the last 23:00 WIB that is four hours old at least. An audit is due at 03:00 if the newest audit point is older
    than that.
    """
    night = now.astimezone(WIB).replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night - timedelta(days=night > now) - EVENING


class DailyAudit:
    """Audits the rows written since the last point, or all history if there is no point."""

    def __init__(
        self,
        container: Container,
        after_seconds: float = SETTLED_AFTER.total_seconds(),
    ) -> None:
        self._container = container
        # A starting worker is not burdened with an audit; it would not cover rows of these seconds anyway.
        self._begins = monotonic() + after_seconds

    async def look(self) -> int:
        """Periodic task: audit if an audit is due and no other worker audits; set the metrics.  Returns 0."""
        database, now = self._container.database, self._container.clock.now()
        if monotonic() >= self._begins:
            if await database.once(store.take_turn, needed_since(now), TURN_SECONDS):
                await self._audit()
            _show(await database.once(store.audit_state), now)
        return 0

    async def _audit(self) -> None:
        database = self._container.database
        told = await audit_all(
            database,
            self._container.settings,
            registered=self._container.offers.audit,
            request=AuditRequest(is_incremental=True),
        )
        broken = [one.invariant.name for one in told.audit.findings if not one.holds]
        rest = REST_SECONDS if broken else 0.0
        await database.once(store.end_turn, broken, rest)
        if broken:
            _log.error("audit_broken", promises=broken)
        elif told.point is not None:
            number, chained = told.point.number, told.point.chained.hex()
            _log.info("audit_point", point=number, chained=chained)


def _show(state: AuditState, now: datetime) -> None:
    metrics.BROKEN.set(len(state.broken))
    if state.covered_until is not None:
        metrics.COVERED.set((now - state.covered_until).total_seconds())


def tasks(container: Container) -> list[PeriodicTask]:
    """Return the periodic task of the audit.  It is cancelled when the worker stops, because an audit only reads."""
    return [
        PeriodicTask(
            TASK,
            DailyAudit(container).look,
            LOOK_SECONDS,
            is_cut=True,
            without_rows="audits the whole installation, and writes one point",
        )
    ]
