"""Events that stamps tell the rooms above."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class StampsGone(Event, frozen=True, kw_only=True):
    """Stamps that an order owed left the world as they came free; written by `stamps_release`."""

    order: UUID
    stamps: int
