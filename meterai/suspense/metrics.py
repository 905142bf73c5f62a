"""Metrics of open suspense items: number, age and money.  Each worker process exports the counts that it measured last."""

from meterai.plumbing.observe.metrics import Gauge

OPEN = Gauge("meterai_suspense_open", "Items in suspense")
OVERDUE = Gauge("meterai_suspense_overdue", "Items in suspense past their due time")
OLDEST = Gauge("meterai_suspense_oldest_seconds", "Age in seconds of the oldest item in suspense")
BOOKED = Gauge("meterai_suspense_rupiah", "Money in suspense")
METRICS = (OPEN, OVERDUE, OLDEST, BOOKED)
