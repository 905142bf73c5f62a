"""Settings of orders."""

import msgspec

from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.config import Positive, Seconds, Whole


class OrderSettings(msgspec.Struct, frozen=True):
    """Settings of orders; money in rupiah, times in seconds."""

    stamp_price: Positive = STAMP_DUTY  # another price only in development
    service_fee: Whole = 0  # for each stamp; goes back with the price of an unexecuted stamp
    order_total_max: Positive = 10_000_000  # QRIS: highest amount of one transaction
    order_lapses_seconds: Seconds = 900  # time to pay a QR
    stamps_due_seconds: Seconds = 900  # paid stamps not issued by then go back as money
    documents_due_seconds: Seconds = 86_400  # the same for documents not stamped
    unpaid_orders_max: Positive = 100  # of one account at the same time; each has a QR at the bank
