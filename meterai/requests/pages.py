"""Page of the request log, beside the API keys of an account."""

from typing import get_args
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency

from meterai.accounts import KEY_KIND, AccountService, Permission
from meterai.kit import paging
from meterai.kit.ids import read_typed
from meterai.kit.priority import Priority
from meterai.kit.text import one_line
from meterai.pages import Page, PageRequest, RoomPages, page
from meterai.requests.model import ENTRY_KIND, RequestFilter
from meterai.requests.routes import ClassOfStatus
from meterai.requests.service import RequestLog

SHOWN = 50  # lines per page
CLASSES = get_args(ClassOfStatus)
TYPED_LENGTH_MAX = 64  # characters of a typed Request-Id


@get(
    "/account/requests",
    opt={"permission": Permission.KEYS_READ, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_requests(
    request: PageRequest,
    request_log: NamedDependency[RequestLog],
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
) -> Page:
    """Show requests of the account's API keys; invalid filters are ignored."""
    asked = request.query_params
    status = asked.get("status", "")
    typed = one_line(asked.get("request", "").strip()[:TYPED_LENGTH_MAX])
    wanted = RequestFilter(
        key=read_typed(KEY_KIND, asked.get("key", "")),
        class_of_status=int(status[0]) if status in CLASSES else None,
        request=typed or None,
    )
    before = read_typed(ENTRY_KIND, asked.get("before", ""))
    part = paging.ListPage(SHOWN, before) if before else paging.ListPage(SHOWN)
    found, is_more = await request_log.requests(account, wanted, part)
    return page(
        request,
        "requests/requests.html",
        requests=found,
        older=found[-1].id if is_more else None,
        keys=await accounts.api_keys(account),
        classes=CLASSES,
        key=asked.get("key", ""),
        chosen=status,
        typed=typed,
    )


routes = [show_requests]
PAGES = RoomPages("requests", "meterai.requests")
