"""Events of waiting lines."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class TurnNear(Event, frozen=True, kw_only=True):
    """The turn of an account that asked for a mail comes within minutes; written by `Advancing`."""

    line_id: UUID
    line: str
    number: int
