"""Logs and metrics.

Logs are structlog events: readable on a terminal, JSON in production.  Never in a log: a secret,
a sign-in code, an e-mail address, a document.  Metrics are Prometheus counters and histograms;
the processes of an instance share them through `DIR/metrics` (see `plumbing/shared_metrics.py`).
"""

import logging
import sys
from functools import cache

import structlog
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
_LEVELS = logging.getLevelNamesMapping()


@cache
def _answers(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    # Finding a metric by its labels costs more than counting; there are few of them.
    return REQUESTS.labels(method, route, status), LATENCY.labels(route)


def count_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer.  `route` is a template, never a path that a stranger made up."""
    count, latency = _answers(method if method in METHODS else "other", route, status)
    count.inc()
    latency.observe(seconds)


def configure(*, level: str, as_json: bool, who: str) -> None:
    """Set up logging for this process, `who` naming it (web, worker, ...)."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info
            if as_json
            else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=who)
    logging.basicConfig(level=max(_LEVELS[level.upper()], logging.WARNING), stream=sys.stderr)
