"""Limiter: bounds the requests under way, the most urgent first, and refuses the rest at once.

Promises this floor keeps
  * An overloaded process answers everybody: with service, or with a page (a problem document for programs) that says
    what is safe and when to retry, at a cost of 30 microseconds.
  * Requests near to paid money go first, and each priority has a share that no other can take.
  * Within a priority the next permit goes to the user with the least recent use, so that one user cannot crowd out many.
  * A request whose time is over or whose client has gone is not begun.
  * At low traffic the limiter has no effect: it has no rate and no parameter to tune.

The limit follows measured queueing within the process (`limit`), not the duration of requests.  A route declares its
priority as `opt={"priority": ...}` (`kit/priority.py`).  Knows no room.  Calls plumbing.  `apps` puts it before an
application.
"""

from meterai.limiter.admission import Admission, AdmittedRequest
from meterai.limiter.answers import Answer, Answers, BusyAnswer, BusyAnswers
from meterai.limiter.limiter import Limiter
from meterai.limiter.metrics import METRICS
from meterai.limiter.priorities import Priorities, PriorityMissing
from meterai.limiter.users import Users

__all__ = [
    "METRICS",
    "Admission",
    "AdmittedRequest",
    "Answer",
    "Answers",
    "BusyAnswer",
    "BusyAnswers",
    "Limiter",
    "Priorities",
    "PriorityMissing",
    "Users",
]
