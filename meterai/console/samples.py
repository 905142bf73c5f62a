"""Samples: figures of each minute, taken by a worker, exported as metrics and kept for the page of numbers."""

import asyncio
import hashlib
import socket
from datetime import datetime, timedelta

from meterai import notifications, orders, payments
from meterai.console import metrics, store
from meterai.console.model import MinuteSample
from meterai.kit.clock import Clock
from meterai.kit.priority import Priority
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.observe.counted import counted
from meterai.plumbing.observe.metrics import Gauge

MINUTE = timedelta(minutes=1)
WHOLE = ""  # source of figures of the whole installation
SAMPLES_MAX = 20_000  # samples read for one page: a day of a dozen machines
# Metrics of the processes of a machine, each with its name in samples.
COUNTED = {
    "meterai_requests_total": "requests",
    "meterai_line_sent_total": "line_sent",
    "meterai_line_admitted_total": "line_admitted",
    "meterai_line_waiting": "line_waiting",
    "meterai_limiter_in_time_total": "in_time_{priority}",
    "meterai_jobs_failing": "jobs_failing",
    "meterai_jobs_late_seconds": "jobs_late",
    "meterai_given_up": "given_up_{queue}",
}
PRIORITIES = tuple(one.name.lower() for one in Priority)


class Samples:
    """Takes a sample of figures each minute, and reads stored samples."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        here = f"{socket.gethostname()}:{settings.process.directory.absolute()}"
        # One source per machine's shared metrics directory; hashed, so that no host name is shown.
        self._source = hashlib.sha256(here.encode()).hexdigest()[:12]

    async def take(self) -> int:
        """Periodic task: store the figures of the last whole minute, unless another worker already stored them.
        Returns 0.
        """
        end = self.until()
        for source in (WHOLE, self._source):
            if not await self._database.once(store.is_kept, end, source):
                figures = await (self._whole(end) if source == WHOLE else self._counted())
                await self._database.once(store.keep, end, source, figures)
        return 0

    def until(self) -> datetime:
        """Return the end of the last whole minute."""
        return self._clock.now().replace(second=0, microsecond=0)

    async def _counted(self) -> dict[str, float]:
        return await asyncio.to_thread(counted, COUNTED)

    async def _whole(self, end: datetime) -> dict[str, float]:
        async with self._database.reading() as tx:
            sold = await orders.figures_within(tx, end - MINUTE, end)
            back = await payments.refunds_within(tx, end - MINUTE, end)
            mails = await notifications.figures_within(tx, end - MINUTE, end)
        told: dict[Gauge, dict[str, float]] = {
            metrics.ORDERS: {"placed": sold.placed, "executed": sold.executed},
            metrics.EXECUTION: {"median": sold.median_seconds, "p95": sold.p95_seconds},
            metrics.REFUNDS: {"begun": back.begun, "settled": back.settled, "open": back.open},
            metrics.MAILS: {"sent": mails.sent, "waiting": mails.waiting},
        }
        for metric, values in told.items():
            for what, value in values.items():
                metric.labels(what=what).set(value)
        names = zip(("orders", "execution", "refunds", "mails"), told.values(), strict=True)
        return {
            f"{name}_{what}": float(value)
            for name, values in names
            for what, value in values.items()
        }

    async def since(self, at: datetime) -> list[MinuteSample]:
        """Return the samples after a moment, the earliest first."""
        return await self._database.once(store.since, at, SAMPLES_MAX)
