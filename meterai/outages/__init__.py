"""Outages: signed records of the times in which the system counted as failed under the law.

Promises this room keeps
  * A record contains only what follows from the watchers' signed readings by the rules (`rules`); staff cannot add a
    minute.
  * A minute measured by fewer than a majority of all watchers counts neither as failed nor as working.
  * Two persons of staff confirm the hash of the findings.  Then the record is sealed, public, and never changed.
  * A record contains the readings that it was derived from: anybody can derive it again, offline, without our programs.
  * If a person requests a sealed copy of a record, no data of the person are stored.

Calls incidents, stamping, orders, sealing, approvals, trail.
"""

from meterai.outages.model import Outage
from meterai.outages.service import OutageService
from meterai.outages.store import public_at

__all__ = ["Outage", "OutageService", "public_at"]
