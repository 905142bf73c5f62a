"""Outages: signed records of when the system counted as failed under the law.

Promises this room keeps
  * A record says only what follows from the watchers' signed readings by the rules (`rules`); no staff can add a minute.
  * A minute that fewer than a majority of all watchers measured counts neither as failed nor as working.
  * Two persons of staff confirm what the hash of the findings names; then it is sealed, public, and never changed.
  * A record holds the readings it was derived from: anybody derives it again, offline, without any program of ours.
  * Of a person who asks for a copy nothing is kept.

Calls incidents, stamping, orders, sealing, approvals, trail.
"""

from meterai.outages.model import Outage
from meterai.outages.service import OutageService
from meterai.outages.store import public_at

__all__ = ["Outage", "OutageService", "public_at"]
