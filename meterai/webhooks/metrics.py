"""Metrics of webhooks.

Each process counts its attempts to deliver; the gauges of all messages and endpoints are set by the worker that measured last.
"""

from meterai.plumbing.observe.metrics import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "meterai_webhook_attempts_total", "Attempts to deliver a message, by outcome", ["outcome"]
)
SECONDS = Histogram(
    "meterai_webhook_attempt_seconds",
    "Seconds that attempts took",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
DUE = Gauge("meterai_webhook_messages_due", "Messages due to endpoints that answer quickly")
ASIDE = Gauge("meterai_webhook_endpoints_aside", "Endpoints that answer slowly")
DISABLED = Gauge("meterai_webhook_endpoints_disabled", "Endpoints that are disabled")
METRICS = (ATTEMPTS, SECONDS, DUE, ASIDE, DISABLED)
