"""API routes of the request log."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from meterai.accounts import KEY_KIND, Permission
from meterai.kit.ids import read
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.queries import Before, Limit, Since, moment
from meterai.requests.model import ENTRY_KIND, RequestFilter, RequestView
from meterai.requests.service import RequestLog

ClassOfStatus = Literal["2xx", "3xx", "4xx", "5xx"]
OfKey = Annotated[str | None, QueryParameter(description="Only requests with this key, `key_...`.")]
OfStatus = Annotated[
    ClassOfStatus | None, QueryParameter(description="Only requests answered with such a status.")
]
OfRequest = Annotated[
    str | None, QueryParameter(description="Only requests with exactly this Request-Id.")
]


class RequestList(msgspec.Struct, frozen=True):
    """Requests of your API keys, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    requests: list[RequestView]
    next: str | None


@get(
    "/v1/requests",
    opt={
        "permission": Permission.KEYS_READ,
        "priority": Priority.CHECKOUT,
        "described": Described(refuses=(404,)),
    },
    summary="Requests made with your API keys",
    tags=["api keys"],
)
async def list_requests(
    request_log: NamedDependency[RequestLog],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
    key: OfKey = None,
    status: OfStatus = None,
    since: Since = None,
    request_id: OfRequest = None,
) -> RequestList:
    """A page of the requests of the last 30 days, newest first.

    A request is listed some seconds after its answer, without its body and its query. The log is no proof: lines are
    missing if the database was slow.
    """
    page = ListPage(limit, read(ENTRY_KIND, before)) if before else ListPage(limit)
    wanted = RequestFilter(
        key=read(KEY_KIND, key) if key else None,
        class_of_status=int(status[0]) if status else None,
        since=moment("since", since) if since else None,
        request=request_id,
    )
    found, is_more = await request_log.requests(account, wanted, page)
    return RequestList(found, found[-1].id if is_more else None)


routes = [list_requests]
