"""What refunds tell other rooms."""

from uuid import UUID

from meterai.plumbing.events import Event


class RefundRequested(Event, frozen=True, kw_only=True):
    """Money is set aside to be given back; written by `refund_request`."""

    refund: UUID


class RefundSettled(Event, frozen=True, kw_only=True):
    """The provider has given the money back; written by `refund_settle`."""

    refund: UUID
