"""QRIS and virtual accounts at Midtrans, by its Core API.

Only this package contains what is special to Midtrans: its codes, paths, statuses, and its form of our references.
"""

from meterai.payments.adapters.midtrans.rail import MIDTRANS, NOTIFY_PATH, is_configured
from meterai.payments.adapters.midtrans.reading import order_id_of, reference_of_order
from meterai.payments.adapters.midtrans.settings import (
    SERVER_KEY_FILE,
    MidtransSettings,
    server_key,
)

__all__ = [
    "MIDTRANS",
    "NOTIFY_PATH",
    "SERVER_KEY_FILE",
    "MidtransSettings",
    "is_configured",
    "order_id_of",
    "reference_of_order",
    "server_key",
]
