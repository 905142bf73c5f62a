"""Limiter: bounds the requests under way, the most urgent first; refuses the rest at once.

Promises this floor keeps
  * A process that is overrun answers everybody: with service, or with a page (a problem document
    for programs) that says what is safe and when to come again, for some 30 microseconds.
  * Who is near to paid money goes first, and each priority keeps a share that no other can take.
  * Within a priority the next permit goes to who had least lately, so that one cannot crowd out many.
  * What nobody waits for any more is not begun: its time is over, or its client has gone.
  * At low traffic it does nothing: it has no rate and no number to tune.

How much is too much is measured (`limit`): what queues within the process, not how long a request
takes.  A route says its priority as `opt={"priority": ...}` (`kit/priority.py`).  Knows no room.
Calls plumbing.  Is put before an application by `apps`.
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
