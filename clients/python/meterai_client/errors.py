"""Exceptions of the client; all are `MeteraiError`."""

from collections.abc import Mapping
from typing import Any

from meterai_client.models import Order, Stamping


class MeteraiError(Exception):
    """Base of all exceptions of this package."""


class NotAnswered(MeteraiError):
    """No answer came within the deadline.

    A command may have been carried out. Repeat the call with the same `idempotency_key` to get its result; the
    command is not carried out twice.
    """

    def __init__(self, message: str, idempotency_key: str | None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class AnswerUnreadable(MeteraiError):
    """The answer violates the API; usually an intermediary answered."""


class DownloadDamaged(MeteraiError):
    """The SHA-256 of the downloaded file differs from the installation's. Nothing is left in the target file."""


class WebhookForged(MeteraiError):
    """A message was not signed with this secret, or its time is outside the tolerance."""


class NotExecuted(MeteraiError):
    """An order ended, or will end, without being executed. `order` is its last seen state."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.id} is {order.state}")
        self.order = order


class NotStamped(MeteraiError):
    """A stamping failed, and its stamps were returned to the account. `stamping` is its last seen state."""

    def __init__(self, stamping: Stamping) -> None:
        super().__init__(f"stamping {stamping.id} is {stamping.state}: {stamping.reason}")
        self.stamping = stamping


class StillUnderWay(MeteraiError):
    """The expected state was not reached in time. It may be reached later: wait again."""


class Refused(MeteraiError):
    """The installation refused. The subclasses correspond to HTTP statuses. Programs should branch on `code`; later
    versions may have more codes.

    `code`             stable name of the reason
    `title`            sentence in the language of the client
    `request_id`       id of the request, to quote to the operator
    `retry_after`      seconds after which the same call may succeed, or None
    `facts`            further members of the answer: limits, fields, times
    `idempotency_key`  Idempotency-Key of the refused call, or None
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
    """401: no key, or an invalid one."""


class NotAllowed(Refused):
    """403: the key lacks the scope, or the resource belongs to another account."""


class NotFound(Refused):
    """404: the resource does not exist, or is not yours."""


class Conflict(Refused):
    """409: not allowed in the current state."""


class Gone(Refused):
    """410: no longer kept."""


class Unusable(Refused):
    """400, 413, 415, 422: a field, a header or a document cannot be used.

    With the code `malformed`, `field` is the invalid field and `expected` says what it should be.
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
    """429: too many requests in a period."""


class Unavailable(Refused):
    """500, 502, 503, 504 and 408: temporarily unavailable."""


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
    """Return the exception of a status."""
    return _OF_STATUS.get(status, Unavailable if status >= 500 else Refused)
