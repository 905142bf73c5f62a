"""Webhooks: signed messages about an account, sent to the endpoints that it registered.

Promises of this room
  * An event is recorded in the transaction of its own job, and sent at least once, under one webhook-id. The order of
    several events is not promised.
  * Failed attempts are repeated on a published schedule. An undelivered message is kept for 30 days and can be
    replayed.
  * A slow, dead or malicious receiver delays no other receiver. A process reads at most 1,024 bytes of its response.
  * Nothing is sent to an address that is not public, whatever a name resolves to, and no redirect is followed.
  * A secret is stored encrypted and shown once after its creation. After a rotation, messages are signed with both
    the old and the new secret for a day.
  * An event of an account that registered no endpoint costs one index look-up, and no job.
  * An endpoint gets only events whose content the creator of the endpoint may read over the API.

Depends on no room that emits events: each room lists its public events (`published` of its `Room`). Calls accounts,
notifications.
"""

from meterai.webhooks.jobs import publishing
from meterai.webhooks.knows import disabled_by_account

__all__ = ["disabled_by_account", "publishing"]
