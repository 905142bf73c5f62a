"""Requests: the log of requests by an account's API keys, for its owner.

Promises this room keeps
  * An account sees each request of its keys for a month: time, path, answer, duration.
  * It contains no body, no query, and no key, wherever a client put one.
  * No request waits for it: lines are buffered in bounded memory and written in batches after the answers.  If the
    database is slow or a process dies, lines are lost, and dropped ones are counted: a log is not the books.

Calls accounts.
"""

from meterai.requests.service import RequestLog

__all__ = ["RequestLog"]
