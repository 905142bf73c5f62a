"""What the guest book tells."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class GuestEntered(Event, frozen=True, kw_only=True):
    """Somebody was entered; written by `guest_enter`."""

    guest: UUID
