"""Pages of subscriptions, which need no account: subscribe, and by the link in a mail confirm or unsubscribe."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.incidents.board import Board
from meterai.incidents.pages import status_page
from meterai.incidents.subscribing import PATH, Subscriptions
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    Page,
    PageRequest,
    check_origin,
    page,
    read_form,
    see_other,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import network_of

_OPTIONS = {"permission": Permission.PUBLIC, "priority": Priority.NEW}


@post("/status/subscribe", opt=_OPTIONS, include_in_schema=False)
async def subscribe(
    request: PageRequest,
    board: NamedDependency[Board],
    subscriptions: NamedDependency[Subscriptions],
    settings: NamedDependency[Settings],
) -> Page:
    """Send an address a confirmation mail."""
    check_origin(request)
    form = await read_form(request)
    email, network = form.text("email"), network_of(request, settings.process.proxies)
    try:
        await subscriptions.ask(email, language_of(request), network)
    except Refusal as refusal:
        return await status_page(request, board, email, refusal)
    return see_other("/status/subscribed")


@get("/status/subscribed", opt=_OPTIONS, include_in_schema=False)
async def show_asked(request: PageRequest) -> Page:
    """Show that a confirmation mail is on its way, unless the address is subscribed already."""
    await visitor(request)
    return page(request, "incidents/subscription.html", step="asked")


@get(f"{PATH}/{{shown:str}}/{{secret:str}}", opt=_OPTIONS, include_in_schema=False)
async def show_subscription(
    request: PageRequest,
    subscriptions: NamedDependency[Subscriptions],
    shown: FromPath[str],
    secret: FromPath[str],
) -> Page:
    """Show a subscription with its buttons.  A GET changes nothing, since mail programs follow links."""
    await visitor(request)
    found = await subscriptions.subscriber(subscriptions.opened(shown, secret))
    step = "active" if found.confirmed_at else "confirm"
    return page(
        request,
        "incidents/subscription.html",
        step=step,
        subscribed=found.email,
        there=request.scope["path"],
    )


@post(f"{PATH}/{{shown:str}}/{{secret:str}}", opt=_OPTIONS, include_in_schema=False)
async def change_subscription(
    request: PageRequest,
    subscriptions: NamedDependency[Subscriptions],
    shown: FromPath[str],
    secret: FromPath[str],
) -> Page:
    """Confirm or end a subscription; a POST by a mail program ends it (RFC 8058).  The secret in the link authorizes both."""
    subscriber, form = subscriptions.opened(shown, secret), await read_form(request)
    if form.text("do") == "confirm":
        await subscriptions.confirm(subscriber)
        return see_other(request.scope["path"])
    await subscriptions.end(subscriber)
    return page(request, "incidents/subscription.html", step="ended")


routes = [subscribe, show_asked, show_subscription, change_subscription]
