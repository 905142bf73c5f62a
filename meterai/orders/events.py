"""Events of orders, for the rooms above."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class OrderPaid(Event, frozen=True, kw_only=True):
    """An order of documents was paid and has its stamps; written by `order_execute`."""

    order: UUID


class DepositGrew(Event, frozen=True, kw_only=True):
    """The deposit of a seller grew: by an order, written by `order_execute`; or without one (None),
    written by `sale_take_waiting`, written by `sale_end`, written by `deposit_return`, written by `fee_move`.
    """

    order: UUID | None


class FeePassed(Event, frozen=True, kw_only=True):
    """The fee of stamps goes to their seller, or back to the buyer (below zero); written by `order_pass_fee`.

    `number` counts the moves of one order; `amount` in rupiah.
    """

    order: UUID
    seller: UUID
    number: int
    stamps: int
    amount: int


class OrderExecuted(Event, frozen=True, kw_only=True):
    """Stamps were issued, or every document was stamped; written by `order_close`."""

    order: UUID


class OrderLapsed(Event, frozen=True, kw_only=True):
    """The time to pay ran out; late money may still come.  Written by `order_close`."""

    order: UUID


class OrderWithdrawn(Event, frozen=True, kw_only=True):
    """Its account withdrew an unpaid order; written by `order_close`."""

    order: UUID


class OrderReturning(Event, frozen=True, kw_only=True):
    """All money of an order is on its way back; written by `order_close`."""

    order: UUID


class OrderReturned(Event, frozen=True, kw_only=True):
    """All money of an order is back; written by `order_close`."""

    order: UUID


class OrderDenied(Event, frozen=True, kw_only=True):
    """The payer's bank took the money of an order back; written by `order_close`."""

    order: UUID
