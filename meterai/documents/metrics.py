"""Metrics of the object store."""

from typing import Any

from meterai.plumbing.observe.metrics import Gauge, Metric

HELD = Gauge(
    "meterai_deletion_held",
    "Whether nothing is deleted from the object store until an operator confirms (1), by reason",
    ["reason"],
)
CONDEMNED = Gauge("meterai_objects_condemned", "Objects that are deleted after their grace period")
METRICS: tuple[Metric[Any], ...] = (HELD, CONDEMNED)
