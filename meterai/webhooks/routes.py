"""Routes of the API for webhook endpoints and their messages."""

from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.queries import Before, Limit, moment
from meterai.plumbing.http.requests import idempotency_key
from meterai.webhooks.model import (
    ENDPOINT_KIND,
    MESSAGE_KIND,
    DeliveryDetails,
    DeliveryView,
    EndpointSecret,
    EndpointView,
    MessageState,
    details,
    message_view,
    view,
    view_with,
)
from meterai.webhooks.service import WebhookService, WebhookWish

_READING = {"permission": Permission.WEBHOOKS_READ, "priority": Priority.CHECKOUT}
_MANAGING = {"permission": Permission.WEBHOOKS_MANAGE, "priority": Priority.CHECKOUT}
_TAGS = ["webhooks"]
Given = TypeVar("Given")
InState = Annotated[
    str | None, QueryParameter(name="state", description="Only messages in this state.")
]


class WebhookRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new endpoint: its URL, the types of events that are sent to it (`*`: all), and your one-line description."""

    url: str
    events: list[str]
    description: str = ""


class WebhookChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes of an endpoint. An omitted field is not changed."""

    url: str | msgspec.UnsetType = msgspec.UNSET
    events: list[str] | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The messages to replay: the message with `message_id`, or all undelivered messages created after `since`."""

    message_id: str | msgspec.UnsetType = msgspec.UNSET
    since: str | msgspec.UnsetType = msgspec.UNSET


class WebhookList(msgspec.Struct, frozen=True):
    """Your endpoints, the oldest first, and the event types that an endpoint may choose."""

    webhooks: list[EndpointView]
    event_types: list[str]


class DeliveryList(msgspec.Struct, frozen=True):
    """Messages to an endpoint, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    deliveries: list[DeliveryView]
    next: str | None


class Replayed(msgspec.Struct, frozen=True):
    """The number of messages that are delivered again."""

    replayed: int


class Removed(msgspec.Struct, frozen=True):
    """The endpoint that was removed."""

    id: str
    state: str


@post(
    "/v1/webhooks",
    opt={**_MANAGING, "described": Described(needs_key=True)},
    summary="Create a webhook",
    tags=_TAGS,
)
async def make_webhook(
    request: Request[Any, Any, Any],
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[WebhookRequest],
) -> EndpointSecret:
    """Register a URL to which events are sent; needs an Idempotency-Key.

    The answer contains the secret with which messages are signed. Repeats of the request within a day return the
    secret as well; later it is never shown.
    """
    held = caller_of(request).permissions
    wish = WebhookWish(data.url, data.events, data.description, held)
    made, secret = await webhooks.make(account, wish, idempotency_key(request), actor=actor)
    return view_with(made, secret)


@get("/v1/webhooks", opt=_READING, summary="Your webhooks", tags=_TAGS)
async def list_webhooks(
    webhooks: NamedDependency[WebhookService], account: NamedDependency[UUID]
) -> WebhookList:
    """List every endpoint that was not removed."""
    found = await webhooks.all_of(account)
    return WebhookList([view(one) for one in found], sorted(webhooks.types))


@get("/v1/webhooks/{webhook_id:str}", opt=_READING, summary="One webhook", tags=_TAGS)
async def show_webhook(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    webhook_id: FromPath[str],
) -> EndpointView:
    """Return an endpoint with its event types and its state."""
    return view(await webhooks.find(account, read(ENDPOINT_KIND, webhook_id)))


def _or_none(value: Given | msgspec.UnsetType) -> Given | None:
    return None if isinstance(value, msgspec.UnsetType) else value


@post(
    "/v1/webhooks/{webhook_id:str}/change",
    opt={
        **_MANAGING,
        "described": Described(
            repeats="The endpoint is as the request says, after any number of repeats."
        ),
    },
    summary="Change a webhook",
    tags=_TAGS,
    status_code=200,
)
async def change_webhook(
    request: Request[Any, Any, Any],
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
    data: JSONBody[WebhookChange],
) -> EndpointView:
    """Change URL, event types or description of an endpoint.  Waiting messages go to the new URL."""
    changed = await webhooks.change(
        account,
        read(ENDPOINT_KIND, webhook_id),
        url=_or_none(data.url),
        events=_or_none(data.events),
        description=_or_none(data.description),
        held=caller_of(request).permissions,
        actor=actor,
    )
    return view(changed)


@post(
    "/v1/webhooks/{webhook_id:str}/rotate",
    opt={**_MANAGING, "described": Described(needs_key=True)},
    summary="Replace the secret of a webhook",
    tags=_TAGS,
    status_code=200,
)
async def rotate_secret(
    request: Request[Any, Any, Any],
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> EndpointSecret:
    """Make a new secret.  For 24 hours, messages are signed with the old secret as well.  Needs an Idempotency-Key."""
    key, endpoint = idempotency_key(request), read(ENDPOINT_KIND, webhook_id)
    return view_with(*await webhooks.rotate(account, endpoint, key, actor=actor))


@post(
    "/v1/webhooks/{webhook_id:str}/enable",
    opt={**_MANAGING, "described": Described(repeats="An enabled endpoint stays enabled.")},
    summary="Enable a webhook again",
    tags=_TAGS,
    status_code=200,
)
async def enable_webhook(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> EndpointView:
    """Enable an endpoint.  Messages kept while it was disabled are sent only by a replay."""
    return view(await webhooks.enable(account, read(ENDPOINT_KIND, webhook_id), actor=actor))


@post(
    "/v1/webhooks/{webhook_id:str}/disable",
    opt={**_MANAGING, "described": Described(repeats="A disabled endpoint stays disabled.")},
    summary="Disable a webhook",
    tags=_TAGS,
    status_code=200,
)
async def disable_webhook(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> EndpointView:
    """Disable an endpoint until it is enabled again.  Messages to it are kept undelivered meanwhile."""
    return view(await webhooks.disable(account, read(ENDPOINT_KIND, webhook_id), actor=actor))


@post(
    "/v1/webhooks/{webhook_id:str}/remove",
    opt={**_MANAGING, "described": Described(repeats="A removed endpoint stays removed.")},
    summary="Remove a webhook",
    tags=_TAGS,
    status_code=200,
)
async def remove_webhook(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> Removed:
    """Remove an endpoint permanently."""
    await webhooks.remove(account, read(ENDPOINT_KIND, webhook_id), actor=actor)
    return Removed(webhook_id, "removed")


@post(
    "/v1/webhooks/{webhook_id:str}/test",
    opt={
        **_MANAGING,
        "described": Described(
            repeats="Each request sends another test, at most 60 an hour.", refuses=(429,)
        ),
    },
    summary="Send a test to a webhook",
    tags=_TAGS,
    status_code=200,
)
async def test_webhook(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> DeliveryView:
    """Queue a message of the type `webhook.test`.  `deliveries` lists its attempts."""
    return message_view(await webhooks.test(account, read(ENDPOINT_KIND, webhook_id), actor=actor))


@get(
    "/v1/webhooks/{webhook_id:str}/deliveries",
    opt=_READING,
    summary="Messages to a webhook",
    tags=_TAGS,
)
async def list_deliveries(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    webhook_id: FromPath[str],
    limit: Limit = PAGE_MAX,
    before: Before = None,
    in_state: InState = None,
) -> DeliveryList:
    """Return a page of the messages of the last 30 days to an endpoint, newest first."""
    page = ListPage(limit, read(MESSAGE_KIND, before)) if before else ListPage(limit)
    endpoint, wanted = read(ENDPOINT_KIND, webhook_id), _read_state(in_state)
    found, is_more = await webhooks.messages(account, endpoint, page, wanted)
    views = [message_view(one) for one in found]
    return DeliveryList(views, views[-1].id if is_more else None)


def _read_state(text: str | None) -> MessageState | None:
    if text is None:
        return None
    if text not in list(MessageState):
        raise Malformed("state", "known_name")
    return MessageState(text)


@get(
    "/v1/webhooks/{webhook_id:str}/deliveries/{message_id:str}",
    opt=_READING,
    summary="One message to a webhook",
    tags=_TAGS,
)
async def show_delivery(
    request: Request[Any, Any, Any],
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    webhook_id: FromPath[str],
    message_id: FromPath[str],
) -> DeliveryDetails:
    """Return a message with its body, and every attempt with its time, duration and answer."""
    endpoint, message = read(ENDPOINT_KIND, webhook_id), read(MESSAGE_KIND, message_id)
    found, attempts = await webhooks.message(account, endpoint, message)
    is_seen = webhooks.may_see(found.type, caller_of(request).permissions)
    return details(found, attempts, shows_body=is_seen)


@post(
    "/v1/webhooks/{webhook_id:str}/replay",
    opt={
        **_MANAGING,
        "described": Described(
            repeats=("Messages that already wait are left unchanged; ids stay the same.")
        ),
    },
    summary="Replay messages",
    tags=_TAGS,
    status_code=200,
)
async def replay(
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
    data: JSONBody[ReplayRequest],
) -> Replayed:
    """Deliver a message again, or all undelivered messages created since a moment.  One request replays at most 10,000
    messages: repeat it until the number in the answer is 0.
    """
    endpoint = read(ENDPOINT_KIND, webhook_id)
    message, since = _or_none(data.message_id), _or_none(data.since)
    if (message is None) == (since is None):
        raise Malformed("since" if message is None else "message_id", "given")
    if message is not None:
        await webhooks.replay(account, endpoint, read(MESSAGE_KIND, message), actor=actor)
        return Replayed(1)
    earliest = moment("since", since or "")
    return Replayed(await webhooks.replay_since(account, endpoint, earliest, actor=actor))


routes = [
    make_webhook,
    list_webhooks,
    show_webhook,
    change_webhook,
    rotate_secret,
    enable_webhook,
    disable_webhook,
    remove_webhook,
    test_webhook,
    list_deliveries,
    show_delivery,
    replay,
]
