"""Events of the guest book."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class GuestEntered(Event, frozen=True, kw_only=True):
    """A guest was entered; emitted by `guest_enter`."""

    guest: UUID
