"""QRIS at providers that speak SNAP BI over HTTP, with a profile for each one's paths and quirks.

The only package that knows SNAP BI: its codes, headers, paths, and what is in a QR.
"""

from meterai.payments.adapters.snap.emv import payee
from meterai.payments.adapters.snap.profile import client_secret, signing_key
from meterai.payments.adapters.snap.rail import NOTIFY_PATH, SNAP_QRIS
from meterai.payments.adapters.snap.settings import SnapSettings

__all__ = ["NOTIFY_PATH", "SNAP_QRIS", "SnapSettings", "client_secret", "payee", "signing_key"]
