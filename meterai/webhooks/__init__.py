"""Webhooks: signed messages about an account, sent to the endpoints that it registered.

Promises this room keeps
  * An event is recorded in a transaction of its own job, and sent at least once, under one webhook-id; which of several
    comes first is not promised.
  * A message is tried by a published schedule; what no attempt delivers is kept for 30 days and can be replayed.
  * A receiver that is slow, dead or lies keeps no other waiting, and makes us read no more than some bytes.
  * Nothing is sent to an address that is not public, whatever a name resolves to, and no redirect is followed.
  * A secret is kept sealed, shown when it is made, and signs beside its successor for a day.
  * An account without an endpoint pays one look into an index for an event, and no job.
  * Who has events sent may see over the API what they tell.

Knows no room that tells events: each says what is told of its own (`published` of its `Room`).
Calls accounts, notifications.
"""

from meterai.webhooks.jobs import publishing
from meterai.webhooks.knows import disabled_by_account

__all__ = ["disabled_by_account", "publishing"]
