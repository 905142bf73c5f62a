"""Events at the end of a stamping. `order` is the order of the document, or None if its stamps came from the balance."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampingDelivered(Event, frozen=True, kw_only=True):
    """A document is stamped; written by `stamping_deliver`."""

    stamping: UUID
    order: UUID | None


class StampingsDelivered(Event, frozen=True, kw_only=True):
    """Several documents without mails of their own are stamped; written by `stampings_deliver`."""

    stampings: list[UUID]


class StampingFailed(Event, frozen=True, kw_only=True):
    """A document cannot be stamped, and its stamps were returned; written by `stamping_fail`."""

    stamping: UUID
    order: UUID | None
