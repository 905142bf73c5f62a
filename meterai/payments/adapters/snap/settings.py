"""Settings of the first bank with SNAP BI."""

from typing import Literal

import msgspec

from meterai.plumbing.config import Positive, Seconds, Secret


class SnapSettings(msgspec.Struct, frozen=True):
    """Settings of the first bank with SNAP BI; times in seconds.  Files of further banks use these names without `bank_`."""

    bank_url: str = ""
    # Put before the paths of the bank's services; empty: the base of the profile.
    bank_path: str = ""
    bank_client_id: str = "METERAI"
    bank_client_secret: Secret = ""  # empty: DIR/keys/bank-client-secret
    bank_public_key: str = ""  # PEM file; empty: DIR/keys/bank.pub.pem
    bank_merchant_id: str = "METERAI"
    # Our other names in a QR, separated by spaces: current and former PANs and NMIDs of the merchant.
    # The default is for the stand-in.
    bank_qr_accounts: str = "936009990000000001 ID1099999999999"
    bank_store_id: str = ""  # store of the merchant; empty if it has none, as the terminal below
    bank_terminal_id: str = ""
    bank_signature: Literal["symmetric", "asymmetric"] = "symmetric"
    bank_timeout_seconds: Seconds = 5
    # Days in which the provider answers queries about a payment and can refund it.  QRIS at most acquirers: 7 days off-us,
    # 45 days on-us; later only the provider's record contains the payment.
    bank_window_days: Positive = 45
    bank_methods: str = "qris"  # methods offered to buyers, separated by spaces: qris, va
    bank_label: str = "Bank"  # the bank's name as payers know it
    bank_code: str = ""  # three-digit code of the bank; transfers to its own accounts use other services (15, 17)
    # Virtual accounts: the id of our service at the bank (up to 8 digits), the name shown to a payer, the
    # time to pay, and the greatest sum.
    bank_va_service_id: str = ""
    bank_va_name: str = "METERAI"
    bank_va_seconds: Seconds = 86_400
    bank_va_rupiah_max: Positive = 50_000_000
    # Account from which transfers to buyers are paid; empty: no transfers.
    bank_source_account: str = ""
    bank_transfer_rupiah_max: Positive = (
        250_000_000  # of one transfer (BI-FAST: PADG 23/25/PADG/2021)
    )
    bank_transfer_rupiah_day_max: Positive = 100_000_000_000  # of all transfers of a day in WIB
