"""The condition that the settings of orders must meet in production: the price of a stamp equals the stamp duty."""

from collections.abc import Iterator, Mapping

from meterai.commands import LOAD, TIME, Demand, Facts
from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.config import Configuration


def _stamp_price(of: Configuration) -> Iterator[Facts]:
    if of.value("stamp_price") != STAMP_DUTY:
        yield {"found": of.value("stamp_price"), "duty": STAMP_DUTY}


DEMANDS: tuple[Demand, ...] = (Demand("stamp_price", ("stamp_price",), _stamp_price),)
UNDEMANDED: Mapping[str, str] = {
    "service_fee": "zero is valid; buyers see the fee before they pay",
    "order_total_max": "the provider refuses an amount above its own limit",
    "order_lapses_seconds": TIME,
    "stamps_due_seconds": TIME,
    "documents_due_seconds": TIME,
    "unpaid_orders_max": LOAD,
}
