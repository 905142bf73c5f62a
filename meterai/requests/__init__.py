"""Requests: the log of requests by an account's API keys, for its owner.

Promises of this room
  * An account sees each request of its keys for a month: time, path, answer, duration.
  * The log contains no body, no query and no key, even if a client put its key in a wrong place.
  * No request waits for the log: lines are buffered in bounded memory and written in batches after the answers. If the
    database is slow or a process dies, lines are lost. Dropped lines are counted; the log is not part of the books.

Calls accounts.
"""

from meterai.requests.service import RequestLog

__all__ = ["RequestLog"]
