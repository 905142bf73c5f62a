"""What distribution counts."""

from typing import Any

from meterai.plumbing.metrics import Counter, Metric

SALES = Counter(
    "meterai_sales_total",
    "Sales of distributors, by how they stood when they were answered",
    ["state"],
)
METRICS: tuple[Metric[Any], ...] = (SALES,)
