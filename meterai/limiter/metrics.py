"""Metrics of the limiter, by priority."""

from collections.abc import Mapping
from typing import Any

from meterai.kit.priority import Priority
from meterai.plumbing.observe.metrics import Counter, Gauge, Metric

REFUSED = Counter(
    "meterai_limiter_refused_total",
    "Requests refused with a time to retry, by priority",
    ["priority"],
)
IN_TIME = Counter(
    "meterai_limiter_in_time_total",
    "Goodput: requests answered without a fault while their client still waited, by priority",
    ["priority"],
)
LATE = Counter(
    "meterai_limiter_late_total",
    "Requests that ended with a fault or after their client's deadline, by priority",
    ["priority"],
)
WAITED = Counter(
    "meterai_limiter_waited_seconds_total",
    "Seconds for which requests waited for a permit, by priority",
    ["priority"],
)
LIMIT = Gauge("meterai_limiter_limit", "Limit of requests under way", adds_up=True)
RUNNING = Gauge(
    "meterai_limiter_running", "Requests under way, by priority", ["priority"], adds_up=True
)
WAITING = Gauge(
    "meterai_limiter_waiting",
    "Requests that wait for a permit, by priority",
    ["priority"],
    adds_up=True,
)
METRICS: tuple[Metric[Any], ...] = (REFUSED, IN_TIME, LATE, WAITED, LIMIT, RUNNING, WAITING)


# Counted in this process and exported once a window, since writing a shared metric costs half as much as a refusal.
_refused = dict.fromkeys(Priority, 0)
_in_time = dict.fromkeys(Priority, 0)
_late = dict.fromkeys(Priority, 0)
_waited = dict.fromkeys(Priority, 0.0)


def refused(priority: Priority) -> None:
    """Count one refused request."""
    _refused[priority] += 1


def answered(priority: Priority, *, is_in_time: bool) -> None:
    """Count one answered request; `is_in_time` is True if it was answered while its client still waited."""
    (_in_time if is_in_time else _late)[priority] += 1


def waited(priority: Priority, seconds: float) -> None:
    """Record for how many seconds one request waited for a permit, whether or not it got one."""
    _waited[priority] += seconds


def show(limit: int, running: Mapping[Priority, int], waiting: Mapping[Priority, int]) -> None:
    """Export the limit, the running and waiting requests by priority, and the counts made since the last export."""
    LIMIT.set(limit)
    for priority in Priority:
        name = priority.name.lower()
        for metric, counted in (
            (REFUSED, _refused),
            (IN_TIME, _in_time),
            (LATE, _late),
            (WAITED, _waited),
        ):
            if counted[priority]:
                metric.labels(priority=name).inc(counted[priority])
                counted[priority] = 0
        RUNNING.labels(priority=name).set(running[priority])
        WAITING.labels(priority=name).set(waiting[priority])
