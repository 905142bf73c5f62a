"""Events of incidents."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class IncidentReviewed(Event, frozen=True, kw_only=True):
    """Staff reviewed an incident that is over; written by `steps.review`, under the nil account."""

    incident: UUID
