"""Audit: who did what to which thing.  Append-only.

Promises this room keeps
  * What is recorded is recorded in the transaction of the act, and never changed.
  * Who did it is an `Actor` (`kit/actor.py`), kept as `kind` or `kind:id`: `account:key_...`,
    `operator:budi`, `job:refunds.give_back`.  Rows of earlier releases have the kind alone.
  * A line that a request wrote has the id of that request (`Request-Id`), by which it is found.
  * No secret, code, address or document is in a record; of secrets and addresses a digest is.
"""

from meterai.audit.knows import trail_of
from meterai.audit.model import CleanAudit, Standing
from meterai.audit.service import record, show, with_request
from meterai.audit.store import audits_after, end_turn, standing, take_turn

__all__ = [
    "CleanAudit",
    "Standing",
    "audits_after",
    "end_turn",
    "record",
    "show",
    "standing",
    "take_turn",
    "trail_of",
    "with_request",
]
