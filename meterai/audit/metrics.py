"""Metrics of the automatic audit, set by the worker that audited last."""

from meterai.plumbing.observe.metrics import Gauge

COVERED = Gauge(
    "meterai_audit_point_seconds", "Age of what the last recorded point of the audit covers"
)
BROKEN = Gauge(
    "meterai_audit_broken", "Promises that did not hold in the last audit of the platform's own"
)
METRICS = (COVERED, BROKEN)
