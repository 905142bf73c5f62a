"""Trail: who did what to which thing.  Append-only.

Promises this room keeps
  * What is recorded is recorded in the transaction of the act, and never changed.
  * Who did it is an `Actor` (`kit/actor.py`), kept as `kind` or `kind:id`: `account:key_...`,
    `operator:budi`, `job:refunds.give_back`.  Rows of earlier releases have the kind alone.
  * A line that a request wrote has the id of that request (`Request-Id`), by which it is found.
  * No secret, code, address or document is in a record; of secrets and addresses a digest is.
"""

from meterai.trail.knows import trail_of
from meterai.trail.service import record, with_request

__all__ = ["record", "trail_of", "with_request"]
