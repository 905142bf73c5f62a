"""Events of stamps, for the rooms above."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampsGone(Event, frozen=True, kw_only=True):
    """Stamps of an order were retired for a chargeback, as soon as the documents that held them released them.

    Written by `stamps_release`.
    """

    order: UUID
    stamps: int
