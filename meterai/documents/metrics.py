"""Metrics of the object store."""

from typing import Any

from meterai.plumbing.observe.metrics import Gauge, Metric

HELD = Gauge(
    "meterai_deletion_held",
    "1 while deletion from the object store is held until an operator confirms, by reason",
    ["reason"],
)
CONDEMNED = Gauge(
    "meterai_objects_condemned", "Objects that will be deleted after their grace period"
)
METRICS: tuple[Metric[Any], ...] = (HELD, CONDEMNED)
