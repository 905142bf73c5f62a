"""Limiter: bounds the number of requests under way, serves the most urgent first, and refuses the rest at once.

Promises of this package
  * An overloaded process answers every request: with service, or with a page (for programs a problem document) that
    says what is safe and when to retry. Such a refusal costs 30 microseconds.
  * Requests about money that was paid go first, then orders and sign-ins under way, then checks of documents, and new
    visitors last. Each priority has a share that no other priority can take.
  * Within a priority the next permit goes to the user with the least recent use, so that one user cannot crowd out many.
  * A request is not begun if it has waited too long or its client has gone.
  * At low traffic the limiter has no effect. It does not limit rates, and has no parameter to tune.

The limit follows measured queueing within the process (`limit`), not the duration of requests. A route declares its
priority as `opt={"priority": ...}` (`kit/priority.py`). The limiter knows no room and calls only plumbing. `apps` puts
it in front of an application.
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
