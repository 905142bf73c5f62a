"""How a stamping ended.  `order`: of which order its document is; None where it used free stamps."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampingDelivered(Event, frozen=True, kw_only=True):
    """A document is stamped; written by `stamping_deliver`."""

    stamping: UUID
    order: UUID | None


class StampingsDelivered(Event, frozen=True, kw_only=True):
    """Several documents are stamped, of none of which a mail tells; written by `stampings_deliver`."""

    stampings: list[UUID]


class StampingFailed(Event, frozen=True, kw_only=True):
    """A document cannot be stamped, its stamps went back; written by `stamping_fail`."""

    stamping: UUID
    order: UUID | None
