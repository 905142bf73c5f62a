"""Settings of orders."""

import msgspec

from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.config import Positive, Seconds, Whole


class OrderSettings(msgspec.Struct, frozen=True):
    """Settings of orders; money in rupiah, times in seconds."""

    stamp_price: Positive = STAMP_DUTY  # another price only in development
    service_fee: Whole = 0  # per stamp; returned with the price of a stamp that is not executed
    order_total_max: Positive = 10_000_000  # the highest amount of a QRIS transaction
    order_lapses_seconds: Seconds = 900  # time to pay, unless the method has another
    # From the payment on; money of stamps that were not issued by then is returned.
    stamps_due_seconds: Seconds = 900
    # From the payment on; money of documents that were not stamped by then is returned.
    documents_due_seconds: Seconds = 86_400
    unpaid_orders_max: Positive = 100  # of an account at the same time; each has a QR at the bank
