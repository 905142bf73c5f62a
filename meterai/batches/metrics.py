"""Counts of batches and their rows."""

from meterai.plumbing.metrics import Counter

ROWS = Counter("meterai_batch_rows_total", "Rows of batches that ended, by how", ["outcome"])
METRICS = (ROWS,)
