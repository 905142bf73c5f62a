"""Metrics of the waiting room, by line."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Gauge, Metric

PLACES = Counter("meterai_line_places_total", "Places taken", ["line"])
LOOKS = Counter("meterai_line_looks_total", "Waiting pages and documents served", ["line"])
ADMITTED = Counter("meterai_line_admitted_total", "People whose turn began", ["line"])
SENT = Counter("meterai_line_sent_total", "People who had to take a place in a line", ["line"])
RATE = Gauge("meterai_line_rate", "Target of admissions per second", ["line"])
WAITING = Gauge("meterai_line_waiting", "Numbers that were not called yet", ["line"])
INSIDE = Gauge("meterai_line_inside", "People with a turn who have not finished", ["line"])
ENTRIES = Counter("meterai_line_entries_total", "Entries in draws", ["line"])
METRICS: tuple[Metric[Any], ...] = (
    PLACES,
    LOOKS,
    ADMITTED,
    SENT,
    RATE,
    WAITING,
    INSIDE,
    ENTRIES,
)
