"""What the limiter counts, by priority."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from meterai.kit.priority import Priority
from meterai.plumbing.metrics import Counter, Gauge, Metric

if TYPE_CHECKING:
    import prometheus_client

REFUSED = Counter(
    "meterai_limiter_refused_total", "Requests told to come again, by priority", ["priority"]
)
IN_TIME = Counter(
    "meterai_limiter_in_time_total",
    "Goodput: requests answered without a fault while somebody still waited, by priority",
    ["priority"],
)
LATE = Counter(
    "meterai_limiter_late_total",
    "Requests that ended with a fault or after their time, by priority",
    ["priority"],
)
WAITED = Counter(
    "meterai_limiter_waited_seconds_total",
    "Time for which requests waited for a turn, by priority",
    ["priority"],
)
LIMIT = Gauge("meterai_limiter_limit", "Requests that may be under way", adds_up=True)
RUNNING = Gauge(
    "meterai_limiter_running", "Requests under way, by priority", ["priority"], adds_up=True
)
WAITING = Gauge(
    "meterai_limiter_waiting", "Requests that wait for a turn", ["priority"], adds_up=True
)
METRICS: tuple[Metric[Any], ...] = (REFUSED, IN_TIME, LATE, WAITED, LIMIT, RUNNING, WAITING)


CHILDREN_MAX = 64  # priorities times metrics are fewer


# Finding a metric by its labels costs more than counting.
@lru_cache(CHILDREN_MAX)
def _of(metric: Counter, priority: Priority) -> "prometheus_client.Counter":
    return metric.labels(priority=priority.name.lower())


def refused(priority: Priority) -> None:
    """One was told to come again."""
    _of(REFUSED, priority).inc()


def answered(priority: Priority, *, is_in_time: bool) -> None:
    """One was answered."""
    _of(IN_TIME if is_in_time else LATE, priority).inc()


def waited(priority: Priority, seconds: float) -> None:
    """One waited so long for its turn, whether it came or not."""
    _of(WAITED, priority).inc(seconds)


def show(limit: int, running: Mapping[Priority, int], waiting: Mapping[Priority, int]) -> None:
    """How a process stands now."""
    LIMIT.set(limit)
    for priority in Priority:
        name = priority.name.lower()
        RUNNING.labels(priority=name).set(running[priority])
        WAITING.labels(priority=name).set(waiting[priority])
