"""Metrics of sales and deposits. The gauges have the values of the last measurement by any worker."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Gauge, Metric

SALES = Counter(
    "meterai_sales_total",
    "Sales of distributors, by their state in the answer",
    ["state"],
)
WAITING = Gauge("meterai_sales_waiting", "Sales that wait for a deposit")
WAITING_SECONDS = Gauge(
    "meterai_sales_waiting_seconds", "Age in seconds of the oldest sale that waits"
)
LOW = Gauge(
    "meterai_deposits_low", "Distributors that sell and were notified that their deposit is low"
)
METRICS: tuple[Metric[Any], ...] = (SALES, WAITING, WAITING_SECONDS, LOW)
