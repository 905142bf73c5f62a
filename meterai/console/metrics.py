"""Metrics of the installation in the last whole minute, which the page of live numbers plots."""

from typing import Any

from meterai.plumbing.observe.metrics import Gauge, Metric

ORDERS = Gauge("meterai_orders_of_minute", "Orders of the last minute: placed, executed", ["what"])
EXECUTION = Gauge(
    "meterai_paid_to_executed_seconds",
    "Seconds from payment to execution of the orders executed in the last minute: median, p95",
    ["what"],
)
REFUNDS = Gauge(
    "meterai_refunds_of_minute",
    "Refunds of the last minute: begun, settled; and the open refunds",
    ["what"],
)
MAILS = Gauge(
    "meterai_mails_of_minute", "Mails of the last minute: sent; and the waiting mails", ["what"]
)
METRICS: tuple[Metric[Any], ...] = (ORDERS, EXECUTION, REFUNDS, MAILS)
