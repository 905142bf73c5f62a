"""Metrics of batches and rows. The gauges have the values of the last measurement by any worker."""

from meterai.plumbing.observe.metrics import Counter, Gauge

ROWS = Counter("meterai_batch_rows_total", "Rows of batches that ended, by outcome", ["outcome"])
WORKING = Gauge("meterai_batches_working", "Batches under way")
WAITING = Gauge("meterai_batches_waiting", "Batches that wait for stamps")
STILL = Gauge("meterai_batches_still", "Batches under way in which no row ended for half an hour")
METRICS = (ROWS, WORKING, WAITING, STILL)
