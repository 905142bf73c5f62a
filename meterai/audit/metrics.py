"""Metrics of the automatic audit, set by the worker that audited last."""

from meterai.plumbing.observe.metrics import Gauge

COVERED = Gauge(
    "meterai_audit_point_seconds",
    "Age in seconds of the data covered by the last recorded point of the audit",
)
BROKEN = Gauge(
    "meterai_audit_broken",
    "Invariants that did not hold in the last audit made by the platform itself",
)
METRICS = (COVERED, BROKEN)
