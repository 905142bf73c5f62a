"""Audit trail: an append-only record of acts, each with its actor and its subject.

Promises this room keeps
  * A line is written in the transaction of its act, and is never changed.
  * The actor is an `Actor` (`kit/actor.py`), stored as `kind` or `kind:id`: `account:key_...`, `operator:budi`,
    `job:refunds.give_back`. Rows of earlier releases have only the kind.
  * A line written during a request has the id of the request (`Request-Id`), by which the line can be found.
  * A line contains no secret, code, address or document. Secrets and addresses are recorded as digests.
"""

from meterai.trail.knows import trail_of
from meterai.trail.service import record, with_request

__all__ = ["record", "trail_of", "with_request"]
