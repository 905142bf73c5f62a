"""The metrics that every process has: requests, refusals, jobs, periodic tasks, faults.

The metrics of a single room are in the module `metrics` of that room.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from meterai.plumbing.observe.metrics import Counter, Gauge, Histogram, Metric

if TYPE_CHECKING:
    import prometheus_client

REQUESTS = Counter(
    "meterai_requests_total", "HTTP requests answered", ["method", "route", "status"]
)
LATENCY = Histogram(
    "meterai_request_seconds",
    "Seconds from the first byte of a request to the end of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSALS = Counter("meterai_refusals_total", "Requests refused, by code", ["code"])
JOBS = Counter("meterai_jobs_total", "Jobs run, by kind and outcome", ["kind", "outcome"])
ROUND_ROWS = Counter(
    "meterai_round_rows_total",
    "Rows handled by periodic tasks, by task and outcome: done, or the code of the fault",
    ["round", "outcome"],
)
FAULTS = Counter("meterai_faults_total", "Unexpected faults", ["where"])
# Set by a worker; the newest value counts. If `meterai_queues_seen_seconds` does not rise, no worker runs.
QUEUES_SEEN = Gauge(
    "meterai_queues_seen_seconds", "Unix time at which a worker last looked at the queues"
)
JOBS_LATE = Gauge("meterai_jobs_late_seconds", "Age in seconds of the oldest due job")
JOBS_FAILING = Gauge("meterai_jobs_failing", "Jobs that failed at least 3 times")
GIVEN_UP = Gauge(
    "meterai_given_up", "Jobs and mails that were given up and wait for staff, by queue", ["queue"]
)
# Circuits of calls to outside machines (plumbing/work/outgoing.py); the values of all processes are added.
CIRCUITS = Gauge(
    "meterai_circuits",
    "Circuits to providers by state: closed, open, half_open",
    ["provider", "state"],
    adds_up=True,
)
CALLS_NOT_BEGUN = Counter(
    "meterai_calls_not_begun_total",
    "Calls to providers that were not begun, by reason: circuit, budget (of repeats), full",
    ["provider", "reason"],
)
REPEATS_LEFT = Gauge(
    "meterai_repeats_left", "Repeated calls that may begin now", ["provider"], adds_up=True
)
REMEMBERED = Counter(
    "meterai_pages_remembered_total", "Pages and files served to visitors from memory"
)
METRICS: tuple[Metric[Any], ...] = (
    REMEMBERED,
    REQUESTS,
    LATENCY,
    REFUSALS,
    JOBS,
    ROUND_ROWS,
    FAULTS,
    QUEUES_SEEN,
    JOBS_LATE,
    JOBS_FAILING,
    GIVEN_UP,
    CIRCUITS,
    CALLS_NOT_BEGUN,
    REPEATS_LEFT,
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ANSWERS_MAX = 4096  # a safety bound; the combinations of route, method and status are far fewer


@lru_cache(ANSWERS_MAX)
def _answers(
    method: str, route: str, status: int
) -> "tuple[prometheus_client.Counter, prometheus_client.Histogram]":
    # Cached, since finding a metric by its labels costs more than counting, and the combinations are few.
    request = REQUESTS.labels(method=method, route=route, status=str(status))
    return request, LATENCY.labels(route=route)


def count_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer. `route` is the template of a route, never a path that a stranger sent."""
    count, latency = _answers(method if method in METHODS else "other", route, status)
    count.inc()
    latency.observe(seconds)
