"""Events of orders, for the rooms that call this one."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class OrderPaid(Event, frozen=True, kw_only=True):
    """An order of documents was paid, and its stamps were issued; written by `order_execute`."""

    order: UUID


class DepositGrew(Event, frozen=True, kw_only=True):
    """The deposit of a seller grew.

    Because an order for a deposit was executed: written by `order_execute`.  For another reason, with `order` None:
    written by `sale_take_waiting`, written by `sale_end`, written by `deposit_return`, written by `fee_move`.
    """

    order: UUID | None


class FeePassed(Event, frozen=True, kw_only=True):
    """A seller's fee was passed on to the seller, or called back from the seller; written by `order_pass_fee`.

    `number` counts the events of this kind of the order, from 1.  `stamps` is the number of stamps that the fee is for,
    `amount` the fee in rupiah; both are below zero if the fee was called back.
    """

    order: UUID
    seller: UUID
    number: int
    stamps: int
    amount: int


class OrderExecuted(Event, frozen=True, kw_only=True):
    """Stamps of an order were issued, or all its documents were stamped; written by `order_close`."""

    order: UUID


class OrderLapsed(Event, frozen=True, kw_only=True):
    """The time to pay an order ran out; late money may still come.  Written by `order_close`."""

    order: UUID


class OrderWithdrawn(Event, frozen=True, kw_only=True):
    """An account withdrew its unpaid order; written by `order_close`."""

    order: UUID


class OrderReturning(Event, frozen=True, kw_only=True):
    """All money of an order is being returned to the buyer; written by `order_close`."""

    order: UUID


class OrderReturned(Event, frozen=True, kw_only=True):
    """All money of an order was returned to the buyer; written by `order_close`."""

    order: UUID


class OrderDenied(Event, frozen=True, kw_only=True):
    """The payer's bank took back the money of an order (a chargeback); written by `order_close`."""

    order: UUID
