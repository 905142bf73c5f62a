"""Metrics of random draws."""

from typing import Any

from meterai.plumbing.observe.metrics import Counter, Metric

DRAW_STEPS = Counter("meterai_draw_steps_total", "Steps of draws, by success", ["step", "outcome"])
METRICS: tuple[Metric[Any], ...] = (DRAW_STEPS,)
