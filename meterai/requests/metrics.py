"""Metrics of the request log."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Metric

LINES = Counter(
    "meterai_request_lines_total",
    "Lines of the log of requests, by outcome: written, dropped (no room, or the process "
    "stopped), failed",
    ["outcome"],
)
METRICS: tuple[Metric[Any], ...] = (LINES,)
