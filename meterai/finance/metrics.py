"""Days that nobody closed, and duty that is owed; set by the worker that looked last."""

from meterai.plumbing.observe.metrics import Gauge

UNCLOSED = Gauge("meterai_finance_days_to_close", "Days that are over and not closed")
DUTY = Gauge("meterai_finance_duty_payable_rupiah", "Duty that is due to the treasury")
METRICS = (UNCLOSED, DUTY)
