"""Metrics of collectors."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Metric

DRAWS = Counter(
    "meterai_credit_draws_total",
    "Draws of collectors, by how they stood when they were made",
    ["state"],
)
METRICS: tuple[Metric[Any], ...] = (DRAWS,)
