"""Event handlers of incidents."""

from meterai.incidents.events import IncidentReviewed
from meterai.incidents.report import Reports
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import on


async def make_report(tx: Tx, event: IncidentReviewed, reports: Reports) -> None:
    """Compute the report of a reviewed incident from the books, and publish it."""
    await reports.make(tx, event.incident)


HANDLERS = (on(IncidentReviewed, make_report, gives_up=True, service=Reports),)
