"""Metric of the duration of sealing."""

from meterai.plumbing.observe.metrics import Histogram

SEALS = Histogram(
    "meterai_seal_seconds",
    "Seconds to seal one document",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20),
)
METRICS = (SEALS,)
