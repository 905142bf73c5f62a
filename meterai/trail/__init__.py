"""Audit trail: which actor did which act on which subject.  Append-only.

Promises this room keeps
  * A line is written in the transaction of its act, and never changed.
  * The actor is an `Actor` (`kit/actor.py`), kept as `kind` or `kind:id`: `account:key_...`, `operator:budi`,
    `job:refunds.give_back`.  Rows of earlier releases have only the kind.
  * A line written during a request has the id of that request (`Request-Id`), by which it is found.
  * A line contains no secret, code, address or document; of secrets and addresses it has a digest.
"""

from meterai.trail.knows import trail_of
from meterai.trail.service import record, with_request

__all__ = ["record", "trail_of", "with_request"]
