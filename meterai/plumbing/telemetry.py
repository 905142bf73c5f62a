"""Metrics: Prometheus counters and histograms.

The processes of an instance share them through `DIR/metrics` (see `plumbing/shared_metrics.py`).
"""

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "meterai_requests_total", "HTTP requests answered", ["method", "route", "status"]
)
LATENCY = Histogram(
    "meterai_request_seconds",
    "Time from the first byte of a request to the end of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSALS = Counter("meterai_refusals_total", "Requests declined, by code", ["code"])
JOBS = Counter("meterai_jobs_total", "Jobs run, by kind and outcome", ["kind", "outcome"])
ROUND_ROWS = Counter(
    "meterai_round_rows_total",
    "Rows that rounds handled, by round and outcome: done, or the code of what stopped it",
    ["round", "outcome"],
)
FAULTS = Counter("meterai_faults_total", "Faults nobody expected", ["where"])
# Told by a worker; the newest word counts.  Where `meterai_queues_seen_seconds` stands still, no
# worker runs.
QUEUES_SEEN = Gauge(
    "meterai_queues_seen_seconds",
    "When a worker last looked at the queues (Unix time)",
    multiprocess_mode="mostrecent",
)
JOBS_LATE = Gauge(
    "meterai_jobs_late_seconds", "Age of the oldest due job", multiprocess_mode="mostrecent"
)
JOBS_FAILING = Gauge(
    "meterai_jobs_failing", "Jobs that failed at least 3 times", multiprocess_mode="mostrecent"
)
GIVEN_UP = Gauge(
    "meterai_given_up",
    "What was given up and waits for a person, by queue",
    ["queue"],
    multiprocess_mode="mostrecent",
)
PROVIDER = Counter(
    "meterai_provider_calls_total", "Calls to a payment provider", ["call", "outcome"]
)
SEALS = Histogram(
    "meterai_seal_seconds",
    "Time to seal one document",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20),
)

# Set by whichever worker looked last, for the whole instance.
SUSPENSE_OPEN = Gauge("meterai_suspense_open", "Items in suspense", multiprocess_mode="mostrecent")
SUSPENSE_OVERDUE = Gauge(
    "meterai_suspense_overdue",
    "Items in suspense past their due time",
    multiprocess_mode="mostrecent",
)
SUSPENSE_OLDEST = Gauge(
    "meterai_suspense_oldest_seconds",
    "Age of the oldest item in suspense",
    multiprocess_mode="mostrecent",
)
SUSPENSE_BOOKED = Gauge(
    "meterai_suspense_rupiah", "Money in suspense", multiprocess_mode="mostrecent"
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ANSWERS_MAX = 4096  # routes, methods and statuses are far fewer; a bound all the same
OUTCOMES_MAX = 64  # codes of a provider that get a line of their own
_outcomes: set[str] = set()


@lru_cache(ANSWERS_MAX)
def _answers(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    # Finding a metric by its labels costs more than counting; there are few of them.
    return REQUESTS.labels(method, route, status), LATENCY.labels(route)


def count_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer.  `route` is a template, never a path that a stranger made up."""
    count, latency = _answers(method if method in METHODS else "other", route, status)
    count.inc()
    latency.observe(seconds)


def count_call(call: str, outcome: str) -> None:
    """Count one call to a provider.  Its codes are its own: what is not known is `other`."""
    if outcome not in _outcomes and len(_outcomes) >= OUTCOMES_MAX:
        outcome = "other"
    _outcomes.add(outcome)
    PROVIDER.labels(call=call, outcome=outcome).inc()
