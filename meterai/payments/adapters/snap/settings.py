"""Settings of a provider with SNAP BI."""

from typing import Literal

import msgspec

from meterai.plumbing.config import Positive, Seconds, Secret


class SnapSettings(msgspec.Struct, frozen=True):
    """SNAP BI; times in seconds."""

    bank_url: str = ""
    bank_path: str = ""  # before the paths of its services; empty: /snap/v1.0
    bank_client_id: str = "METERAI"
    bank_client_secret: Secret = ""  # empty: DIR/keys/bank-client-secret
    bank_public_key: str = ""  # PEM file; empty: DIR/keys/bank.pub.pem
    bank_merchant_id: str = "METERAI"
    # Our other names in a QR, with spaces between: the merchant's PAN and NMID, and former ones.
    # The default is the stand-in's.
    bank_qr_accounts: str = "936009990000000001 ID1099999999999"
    bank_store_id: str = ""  # store of the merchant, with the terminal below; empty: it has none
    bank_terminal_id: str = ""
    bank_signature: Literal["symmetric", "asymmetric"] = "symmetric"
    bank_timeout_seconds: Seconds = 5
    # Days in which the provider answers about a payment and can return it.  QRIS: 7 days off-us, 45 on-us
    # at most acquirers; later a payment is only in its record.
    bank_window_days: Positive = 45
    bank_methods: str = "qris"  # methods of orders, with spaces between: qris, va
    bank_label: str = "Bank"  # its name as payers know it
    bank_code: str = ""  # of three digits: transfers to accounts of this bank stay within it
    # Virtual accounts: the id of our service at the bank (up to 8 digits), the name shown to a payer, the
    # time to pay, and the greatest sum.
    bank_va_service_id: str = ""
    bank_va_name: str = "METERAI"
    bank_va_seconds: Seconds = 86_400
    bank_va_rupiah_max: Positive = 50_000_000
    bank_source_account: str = ""  # source of transfers to buyers; empty: there are none
    bank_transfer_rupiah_max: Positive = (
        250_000_000  # of one transfer (BI-FAST: PADG 23/25/PADG/2021)
    )
    bank_transfer_rupiah_day_max: Positive = 100_000_000_000  # of all transfers of a day in WIB
