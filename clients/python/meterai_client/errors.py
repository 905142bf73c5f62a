"""Exceptions of the client; all are `MeteraiError`."""

from collections.abc import Mapping
from typing import Any

from meterai_client.models import Order, Stamping


class MeteraiError(Exception):
    """Anything that this package raises."""


class NotAnswered(MeteraiError):
    """No answer came within the deadline.

    A command may have been done.  The same call with `idempotency_key` finds out, and does nothing twice.
    """

    def __init__(self, message: str, idempotency_key: str | None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class AnswerUnreadable(MeteraiError):
    """An answer is not what the API promises; mostly something between here and there answered."""


class DownloadDamaged(MeteraiError):
    """The downloaded file has another SHA-256 than the installation told.  Nothing is left in the target file."""


class WebhookForged(MeteraiError):
    """A message was not signed with this secret, or not within the tolerance of time."""


class NotExecuted(MeteraiError):
    """An order ended, or will end, in another way than executed.  `order` is the order as seen last."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.id} is {order.state}")
        self.order = order


class NotStamped(MeteraiError):
    """A stamping ended without a stamp, which came back.  `stamping` is the stamping as seen last."""

    def __init__(self, stamping: Stamping) -> None:
        super().__init__(f"stamping {stamping.id} is {stamping.state}: {stamping.reason}")
        self.stamping = stamping


class StillUnderWay(MeteraiError):
    """The awaited state did not come in time.  It may come later: wait again."""


class Refused(MeteraiError):
    """The installation refused.  The subclasses go by status; branch on `code`, of which more may come.

    `code`             stable name of the fact
    `title`            sentence in the language of the client
    `request_id`       what the operator finds the request by
    `retry_after`      seconds after which the same call may succeed, or None
    `facts`            further members of the answer: limits, fields, times
    `idempotency_key`  of the call that was refused, or None
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
        facts: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {title}" + (f" ({request_id})" if request_id else ""))
        self.status = status
        self.code = code
        self.title = title
        self.request_id = request_id
        self.retry_after = retry_after
        self.facts = dict(facts or {})
        self.idempotency_key = idempotency_key


class KeyRefused(Refused):
    """401: no key, or one that opens nothing."""


class NotAllowed(Refused):
    """403: the key lacks the scope, or it is the thing of another."""


class NotFound(Refused):
    """404: there is no such thing, or it is not yours."""


class Conflict(Refused):
    """409: the state of things does not allow it."""


class Gone(Refused):
    """410: it is not kept any more."""


class Unusable(Refused):
    """400, 413, 415, 422: a field, a header or a document cannot be used.

    Of the code `malformed`, `field` is what cannot be read and `expected` what it should be.
    """

    @property
    def field(self) -> str | None:
        """Name of the field that cannot be read."""
        return self.facts.get("field")

    @property
    def expected(self) -> str | None:
        """Stable code of what the field should be."""
        return self.facts.get("expected")


class TooOften(Refused):
    """429: as often as it may be done in a time."""


class Unavailable(Refused):
    """500, 502, 503, 504 and 408: not now."""


_OF_STATUS: Mapping[int, type[Refused]] = {
    400: Unusable,
    401: KeyRefused,
    403: NotAllowed,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    410: Gone,
    413: Unusable,
    415: Unusable,
    422: Unusable,
    429: TooOften,
}


def class_of(status: int) -> type[Refused]:
    """The exception of a status."""
    return _OF_STATUS.get(status, Unavailable if status >= 500 else Refused)
