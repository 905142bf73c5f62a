"""Reasons to refuse a refund, and orders whose money goes back; pure."""

from typing import NamedTuple
from uuid import UUID

from meterai.kit.refusal import CommandRefusal, Refusal


class OrderTakesNoMoney(CommandRefusal):
    """Money in suspense is applied only to an open order of exactly that total."""

    code = "order_takes_no_money"
    status = 409


class NothingToRefund(Refusal):
    """The order has no unused stamp."""

    code = "nothing_to_refund"
    status = 409


class AskedRefund(NamedTuple):
    """The refund that was asked for, the stamps that it gave back just now, and the request its key came
    with."""

    given: int
    id: UUID
    request: bytes
