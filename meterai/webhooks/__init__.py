"""Webhooks: signed messages about an account, sent to the endpoints that it registered.

Promises of this room
  * An event is recorded in the transaction of its own job, and sent at least once, under one webhook-id. The order of
    several events is not promised.
  * A message is tried by a published schedule. An undelivered one is kept for 30 days and can be replayed.
  * A slow, dead or malicious receiver delays no other, and makes this process read no more than a few bytes.
  * Nothing is sent to an address that is not public, whatever a name resolves to, and no redirect is followed.
  * A secret is stored encrypted, shown once after its creation, and signs beside its successor for a day.
  * An event of an account without an endpoint costs one index look-up, and no job.
  * An endpoint gets only events whose content its maker may read over the API.

Depends on no room that emits events: each room lists its public events (`published` of its `Room`). Calls accounts,
notifications.
"""

from meterai.webhooks.jobs import publishing
from meterai.webhooks.knows import disabled_by_account

__all__ = ["disabled_by_account", "publishing"]
