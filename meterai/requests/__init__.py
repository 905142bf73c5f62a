"""Requests: the log of requests by an account's API keys, for its owner.

Promises this room keeps
  * An account sees each request of its keys for a month: when, what, how it was answered, how long it took.
  * Nothing of a body and nothing of a query is in it, and no key, wherever a client put one.
  * No request waits for it: lines are gathered in memory within bounds and written many at once, after the answers.
    Where the database is slow or a process dies, lines are lost, and those that are dropped are counted: a log is
    not the books.

Calls accounts.
"""

from meterai.requests.service import RequestLog

__all__ = ["RequestLog"]
