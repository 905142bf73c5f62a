"""Metrics of collectors."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Metric

DRAWS = Counter(
    "meterai_credit_draws_total",
    "Draws of collectors, by their state after creation",
    ["state"],
)
METRICS: tuple[Metric[Any], ...] = (DRAWS,)
