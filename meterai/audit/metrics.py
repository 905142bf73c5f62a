"""When the books were compared with the bank's own record, and what was found."""

from meterai.plumbing.metrics import Gauge

COMPARED = Gauge(
    "meterai_bank_compared_seconds",
    "Since the books were compared with the bank's own record; 0 before the first night",
)
DIFFERENCES = Gauge(
    "meterai_bank_compared_differences", "Differences from the bank's own record, of the last night"
)
METRICS = (COMPARED, DIFFERENCES)
