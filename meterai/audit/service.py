"""Show how the audit stands."""

from datetime import datetime

from meterai.audit import metrics
from meterai.audit.model import Standing


def show(standing: Standing, now: datetime) -> None:
    """Set the metrics."""
    metrics.BROKEN.set(len(standing.broken))
    if standing.covered_until is not None:
        metrics.COVERED.set((now - standing.covered_until).total_seconds())
