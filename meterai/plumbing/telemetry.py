"""Logs and metrics.

Logs are structlog events: readable on a terminal, JSON in production.  Never in a log: a secret,
a sign-in code, an e-mail address, a document; `plumbing.discretion` sees to it.  Metrics are Prometheus counters and histograms;
the processes of an instance share them through `DIR/metrics` (see `plumbing/shared_metrics.py`).
"""

import logging
import sys
import threading
from functools import lru_cache
from types import TracebackType

import structlog
from prometheus_client import Counter, Gauge, Histogram

from meterai.plumbing.discretion import bare_trace, discreet

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
_LEVELS = logging.getLevelNamesMapping()


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


def configure(*, level: str, as_json: bool, who: str) -> None:
    """Set up logging for this process, `who` naming it (web, worker, ...).

    As JSON, which is what production asks for, nothing personal is told (`plumbing.discretion`).
    """
    ending: list[structlog.typing.Processor] = (
        [bare_trace, discreet, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.processors.StackInfoRenderer(),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=who)
    others = max(_LEVELS[level.upper()], logging.WARNING)
    if as_json:
        logging.basicConfig(level=others, handlers=[_Ours()], force=True)
        logging.captureWarnings(capture=True)
        sys.excepthook = _uncaught
        threading.excepthook = lambda told: _uncaught(
            told.exc_type, told.exc_value, told.exc_traceback
        )
    else:
        logging.basicConfig(level=others, stream=sys.stderr)


class _Ours(logging.Handler):
    """What libraries log, as an event of ours: their words without what was filled in."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it."""
        first, _, _ = str(record.msg).partition("\n")
        structlog.get_logger().log(
            record.levelno,
            "library",
            logger=record.name,
            says=first,
            kinds=[type(one).__name__ for one in record.args] if record.args else [],
            exc_info=record.exc_info,
        )


def _uncaught(
    kind: type[BaseException], fault: BaseException | None, _trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("uncaught", fault=kind.__name__, exc_info=fault or True)
