"""Events of stamps, for the rooms above."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampsGone(Event, frozen=True, kw_only=True):
    """Stamps that an order owed were retired when they became free; written by `stamps_release`."""

    order: UUID
    stamps: int
