"""Metrics of comparisons of records with the books."""

from meterai.plumbing.observe.metrics import Gauge

COMPARED = Gauge(
    "meterai_bank_compared_seconds",
    "Seconds since the end of the last day up to which the record of each provider was compared with the books",
)
DIFFERENCES = Gauge(
    "meterai_bank_compared_differences", "Differences from the record of the last compared day"
)
METRICS = (COMPARED, DIFFERENCES)
