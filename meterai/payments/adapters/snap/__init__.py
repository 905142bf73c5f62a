"""Banks with SNAP BI over HTTP: QRIS, virtual accounts, transfers.  A profile describes the paths and deviations of a bank.

Only this package contains what is special to SNAP BI: its codes, headers, paths, and the content of a QR.
"""

from meterai.payments.adapters.snap.bank import (
    Access,
    SnapBank,
    access_to,
    bank_of_file,
    client_secret,
    first_bank,
    secret_of,
    signing_key,
)
from meterai.payments.adapters.snap.emv import payee, qr_complaints
from meterai.payments.adapters.snap.rail import NOTIFY_PATH, SNAP_QRIS, endpoint_path
from meterai.payments.adapters.snap.settings import SnapSettings

__all__ = [
    "NOTIFY_PATH",
    "SNAP_QRIS",
    "Access",
    "SnapBank",
    "SnapSettings",
    "access_to",
    "bank_of_file",
    "client_secret",
    "endpoint_path",
    "first_bank",
    "payee",
    "qr_complaints",
    "secret_of",
    "signing_key",
]
