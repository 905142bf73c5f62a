"""Audit: who did what to which thing.  Append-only.

Promises this room keeps
  * What is recorded is recorded in the transaction of the act, and never changed.
  * Who did it is an `Actor` (`kit/actor.py`), kept as `kind` or `kind:id`: `account:key_...`,
    `operator:budi`, `job:refunds.give_back`.  Rows of earlier releases have the kind alone.
  * Each night is compared with the bank's own record once, by one worker (`Nights`); what came of it
    stays, and a night in which it could not be done names the days that are missing.
  * A line that a request wrote has the id of that request (`X-Request-Id`), by which it is found.
  * No secret, code, address or document is in a record; of secrets and addresses a digest is.
"""

from meterai.audit.knows import trail_of
from meterai.audit.model import CleanAudit, Night, NightResult
from meterai.audit.service import Nights, record, with_request
from meterai.audit.store import audits_after, last_night

__all__ = [
    "CleanAudit",
    "Night",
    "NightResult",
    "Nights",
    "audits_after",
    "last_night",
    "record",
    "trail_of",
    "with_request",
]
