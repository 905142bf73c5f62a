"""Metrics of payments."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Gauge, Metric

OUTCOMES_MAX = 64  # different outcomes with a time series of their own
PROVIDER = Counter(
    "meterai_provider_calls_total", "Calls to a payment provider", ["call", "outcome"]
)
FLOAT = Gauge(
    "meterai_float_rupiah",
    "Rupiah in the float account at a bank that are not reserved for a transfer",
    ["provider"],
)
COVER = Gauge("meterai_float_cover_days", "Days for which the float accounts cover the recent need")
SHORT = Gauge("meterai_float_low", "1 if the cover is less than `float_cover_days_min`")
WAITING = Gauge(
    "meterai_transfers_waiting_rupiah",
    "Rupiah for buyers that are in no transfer, by reason",
    ["reason"],
)
METRICS: tuple[Metric[Any], ...] = (PROVIDER, FLOAT, COVER, SHORT, WAITING)
_outcomes: set[str] = set()


def count_call(call: str, outcome: str) -> None:
    """Count one call to a provider.

    Outcomes include codes of providers: a new one after the first `OUTCOMES_MAX` is counted as `other`.
    """
    if outcome not in _outcomes and len(_outcomes) >= OUTCOMES_MAX:
        outcome = "other"
    _outcomes.add(outcome)
    PROVIDER.labels(call=call, outcome=outcome).inc()
