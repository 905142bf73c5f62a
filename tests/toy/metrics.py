"""Metrics of the guest book."""

from meterai.plumbing.observe.metrics import Counter

GUESTS = Counter("meterai_guests_total", "Guests, by what happened", ["what"])
METRICS = (GUESTS,)
