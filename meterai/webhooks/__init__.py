"""Webhooks: signed messages about an account, sent to the endpoints that it registered.

Promises of this room
  * An event becomes messages in the transaction of a job, and each message is sent at least once, always under the same
    webhook-id. The order of several events is not promised.
  * Failed attempts are repeated on a published schedule. An undelivered message is kept for 30 days and can be
    replayed.
  * A slow, dead or malicious receiver delays no other receiver. A process reads at most 1,024 bytes of its response.
  * Nothing is sent to an IP address that is not public, even if the host name in a URL resolves to one, and no redirect
    is followed.
  * A secret is stored encrypted. Only the request that makes it, and its repeats within a day, show it. After a rotation, messages are signed with both
    the old and the new secret for a day.
  * If the account of an event has no endpoint, the event costs one index look-up and makes no job.
  * An endpoint gets only events whose content the creator of the endpoint may read over the API.

Does not depend on the rooms whose events it sends: each room lists its public events (`published` of its `Room`). Calls
accounts, notifications.
"""

from meterai.webhooks.jobs import publishing
from meterai.webhooks.knows import disabled_by_account

__all__ = ["disabled_by_account", "publishing"]
