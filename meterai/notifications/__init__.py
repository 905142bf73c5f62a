"""Notifications: mails in Indonesian and English, their queue and their delivery.

Promises this room keeps
  * Each cause of a mail, such as an event of an order, leads to exactly one mail, which is queued in the transaction
    of the cause, or of the job that handles it.
  * A mail that cannot be sent is tried again for a day, with growing pauses. A mail that its server rejects
    permanently, or whose text cannot be written, is given up. In both cases the fault is stored.
  * A mail with a sign-in code does not wait for notices, and waits only for a few mails that other networks requested.
  * Sign-in codes and links of invitations are derived when the mail is written, and never stored.

Calls accounts.
"""

from meterai.notifications.invariants import told
from meterai.notifications.knows import mails_told
from meterai.notifications.model import GivenUpMail
from meterai.notifications.service import (
    MailService,
    count_given_up,
    given_up,
    queue,
    queue_again,
    queue_to,
    waited,
)
from meterai.notifications.settings import NotificationSettings
from meterai.notifications.store import (
    LEASE_SECONDS,
    figures_within,
    oldest_waiting,
    unsent_of,
    waiting_of,
)

__all__ = [
    "LEASE_SECONDS",
    "GivenUpMail",
    "MailService",
    "NotificationSettings",
    "count_given_up",
    "figures_within",
    "given_up",
    "mails_told",
    "oldest_waiting",
    "queue",
    "queue_again",
    "queue_to",
    "told",
    "unsent_of",
    "waited",
    "waiting_of",
]
