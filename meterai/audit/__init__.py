"""Audit: who did what to which thing.  Append-only.

Promises this room keeps
  * What is recorded is recorded in the transaction of the act, and never changed.
  * Who did it is an `Actor` (`kit/actor.py`), kept as `kind` or `kind:id`: `account:key_...`,
    `operator:budi`, `job:refunds.give_back`.  Rows of earlier releases have the kind alone.
  * No secret, code, address or document is in a record; of secrets and addresses a digest is.
"""

from meterai.audit.service import record

__all__ = ["record"]
