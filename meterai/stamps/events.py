"""Events of stamps, for the rooms above."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampsGone(Event, frozen=True, kw_only=True):
    """Stamps of an order were retired because of a chargeback; held stamps are retired as soon as their documents release them.

    Written by `stamps_release`.
    """

    order: UUID
    stamps: int
