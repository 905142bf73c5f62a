"""When records were compared with the books, and what was found."""

from meterai.plumbing.observe.metrics import Gauge

COMPARED = Gauge(
    "meterai_bank_compared_seconds",
    "Since the end of the last day whose record was compared with the books",
)
DIFFERENCES = Gauge(
    "meterai_bank_compared_differences", "Differences from the record of the last day"
)
METRICS = (COMPARED, DIFFERENCES)
