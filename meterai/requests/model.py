"""Types of the request log; pure."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

ENTRY_KIND = "req"
OTHER_METHOD = "other"  # shown for a word that is no HTTP method
PATH_LENGTH_MAX = 200  # characters; our longest path has about 160


class RequestEntry(msgspec.Struct, frozen=True):
    """A line of the request log, as it is written to the table."""

    account_id: UUID
    entry_id: UUID
    at: datetime
    request: str
    key_id: UUID
    method: str
    route: str | None
    path: str
    status: int | None
    code: str | None
    milliseconds: int
    idempotency_key: str | None
    bytes_in: int
    bytes_out: int


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """A request of one of your API keys.

    `id` names this line of the log, and `request_id` is the Request-Id. `route` is the path as in the description of
    the API, null if no route has this path. `status` is null if the client left before the answer. `code` is the error
    code of a refused request, else null. `bytes_in` is the announced length of the body.
    """

    id: str
    at: datetime
    request_id: str
    key_id: str
    key_name: str
    method: str
    route: str | None
    path: str
    status: int | None
    code: str | None
    milliseconds: int
    idempotency_key: str | None
    bytes_in: int
    bytes_out: int


class RequestFilter(NamedTuple):
    """Filter of the request log: API key, class of status (4 for 400 to 499), earliest time, Request-Id."""

    key: UUID | None = None
    class_of_status: int | None = None
    since: datetime | None = None
    request: str | None = None


class RefusedRequest(NamedTuple):
    """A refused request, as staff see it."""

    at: datetime
    request: str
    method: str
    path: str
    status: int
    code: str | None
