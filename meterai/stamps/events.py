"""Events of stamps, for the rooms above."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampsGone(Event, frozen=True, kw_only=True):
    """Stamps to be retired for a chargeback of their order became free and were retired; written by `stamps_release`."""

    order: UUID
    stamps: int
