"""Metrics of finance: days to close, and duty payable. The worker that measured last sets the gauges."""

from meterai.plumbing.observe.metrics import Gauge

UNCLOSED = Gauge("meterai_finance_days_to_close", "Days that have ended and are not closed")
DUTY = Gauge("meterai_finance_duty_payable_rupiah", "Duty in rupiah that is due to the treasury")
METRICS = (UNCLOSED, DUTY)
