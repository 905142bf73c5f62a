"""Pages of webhooks: endpoints of an account, messages to each, and each attempt."""

from datetime import timedelta
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read, read_typed, show
from meterai.kit.paging import ListPage as PageOfList
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, Refusal
from meterai.pages import (
    Form,
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    RoomPages,
    ShownTo,
    field_errors,
    form_key,
    kept_text,
    page,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import translate
from meterai.webhooks.model import (
    ENDPOINT_KIND,
    ENDPOINTS_MAX,
    EVERYTHING,
    KEPT,
    MESSAGE_KIND,
    details,
    message_view,
    view,
)
from meterai.webhooks.service import WebhookService, WebhookWish

WEBHOOKS = "/account/webhooks"
SHOWN_MAX = 50  # messages of one page
CHOSEN = "chosen"  # value of the form field: the event types are ticked one by one
_READING = {"permission": Permission.WEBHOOKS_READ, "priority": Priority.CHECKOUT}
_MANAGING = {"permission": Permission.WEBHOOKS_MANAGE, "priority": Priority.CHECKOUT}
_MAKING = {**_MANAGING, "fresh_proof": True}
_FIELDS = {"events": "webhook-events", "description": "webhook-description"}


def _path(endpoint: UUID) -> str:
    return f"{WEBHOOKS}/{show(ENDPOINT_KIND, endpoint)}"


async def _list_page(
    request: PageRequest,
    webhooks: WebhookService,
    typed: dict[str, str],
    refusal: Refusal | None = None,
) -> Page:
    caller = caller_of(request)
    named = refusal.field if isinstance(refusal, Malformed) else ""
    field = _FIELDS.get(named, "webhook-url")
    return page(
        request,
        "webhooks/list.html",
        status=refusal.status if refusal else 200,
        webhooks=[view(one) for one in await webhooks.all_of(caller.account)],
        webhooks_max=ENDPOINTS_MAX,
        may_manage=Permission.WEBHOOKS_MANAGE in caller.permissions,
        types=_event_choices(request, webhooks),
        may_all=set(webhooks.types.values()) <= caller.permissions,
        typed=typed,
        errors=field_errors(refusal, language_of(request), field),
    )


def _event_choices(request: PageRequest, webhooks: WebhookService) -> dict[str, str]:
    """Return the event types that the caller may choose, each with its description."""
    held, language = caller_of(request).permissions, language_of(request)
    return {
        one: translate(f"published.{one}", language)
        for one, needed in webhooks.types.items()
        if needed in held
    }


@get(WEBHOOKS, opt=_READING, include_in_schema=False)
async def show_webhooks(request: PageRequest, webhooks: NamedDependency[WebhookService]) -> Page:
    """Show the endpoints of the account, and the form for a new endpoint."""
    typed = {name: kept_text(request, name) for name in ("url", "description", "which")}
    return await _list_page(request, webhooks, typed)


def _events(form: Form) -> list[str]:
    if form.text("which") != CHOSEN:
        return [EVERYTHING]
    return [name.removeprefix("type.") for name in form.texts if name.startswith("type.")]


@post(
    WEBHOOKS,
    opt={**_MAKING, "keeps": ("url", "description", "which")},
    include_in_schema=False,
)
async def make_webhook(
    request: PageRequest,
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Make an endpoint and show its secret, which is not shown later."""
    form = await read_form_of_a_person(request)
    held = caller_of(request).permissions
    wish = WebhookWish(form.text("url").strip(), _events(form), form.text("description"), held)
    try:
        made, secret = await webhooks.make(account, wish, form_key(form.text("key")), actor=actor)
    except Refusal as refusal:
        return await _list_page(request, webhooks, form.texts, refusal)
    return page(request, "webhooks/secret.html", webhook=view(made), secret=secret, is_new=True)


@get(f"{WEBHOOKS}/{{webhook_id:str}}", opt=_READING, include_in_schema=False)
async def show_webhook(
    request: PageRequest,
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    webhook_id: FromPath[str],
) -> Page:
    """Show an endpoint: its state, its messages, and the possible actions."""
    endpoint = read(ENDPOINT_KIND, webhook_id)
    before = read_typed(MESSAGE_KIND, request.query_params.get("before", ""))
    wanted = PageOfList(SHOWN_MAX, before) if before else PageOfList(SHOWN_MAX)
    found, is_more = await webhooks.messages(account, endpoint, wanted)
    return page(
        request,
        "webhooks/one.html",
        webhook=view(await webhooks.find(account, endpoint)),
        messages=[message_view(one) for one in found],
        is_more=is_more,
        may_manage=Permission.WEBHOOKS_MANAGE in caller_of(request).permissions,
    )


@get(
    f"{WEBHOOKS}/{{webhook_id:str}}/messages/{{message_id:str}}",
    opt=_READING,
    include_in_schema=False,
)
async def show_message(
    request: PageRequest,
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    webhook_id: FromPath[str],
    message_id: FromPath[str],
) -> Page:
    """Show a message: its body, and each attempt with its answer."""
    endpoint, message = read(ENDPOINT_KIND, webhook_id), read(MESSAGE_KIND, message_id)
    found, attempts = await webhooks.message(account, endpoint, message)
    held = caller_of(request).permissions
    return page(
        request,
        "webhooks/message.html",
        webhook=view(await webhooks.find(account, endpoint)),
        message=details(found, attempts, shows_body=webhooks.may_see(found.type, held)),
        may_manage=Permission.WEBHOOKS_MANAGE in held,
    )


@post(
    f"{WEBHOOKS}/{{webhook_id:str}}/messages/{{message_id:str}}/replay",
    opt={**_MANAGING, "keeps": ()},
    include_in_schema=False,
)
async def replay_message(
    request: PageRequest,
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
    message_id: FromPath[str],
) -> Page:
    """Queue a message for another delivery."""
    await read_form_of_a_person(request)
    endpoint, message = read(ENDPOINT_KIND, webhook_id), read(MESSAGE_KIND, message_id)
    await webhooks.replay(account, endpoint, message, actor=actor)
    return see_other(f"{_path(endpoint)}/messages/{message_id}")


@post(
    f"{WEBHOOKS}/{{webhook_id:str}}/rotate",
    opt={**_MAKING, "keeps": ()},
    include_in_schema=False,
)
async def rotate_secret(
    request: PageRequest,
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> Page:
    """Give an endpoint a new secret and show it; it is not shown later."""
    form = await read_form_of_a_person(request)
    endpoint = read(ENDPOINT_KIND, webhook_id)
    key = form_key(form.text("key"))
    rotated, secret = await webhooks.rotate(account, endpoint, key, actor=actor)
    return page(request, "webhooks/secret.html", webhook=view(rotated), secret=secret, is_new=False)


@post(
    f"{WEBHOOKS}/{{webhook_id:str}}/act",
    opt={**_MANAGING, "keeps": ()},
    include_in_schema=False,
)
async def act(
    request: PageRequest,
    webhooks: NamedDependency[WebhookService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    webhook_id: FromPath[str],
) -> Page:
    """Test, enable, disable, replay or remove an endpoint, depending on the pressed button. Refuses `Malformed`."""
    form, endpoint = await read_form_of_a_person(request), read(ENDPOINT_KIND, webhook_id)
    match form.text("act"):
        case "test":
            await webhooks.test(account, endpoint, actor=actor)
        case "enable":
            await webhooks.enable(account, endpoint, actor=actor)
        case "disable":
            await webhooks.disable(account, endpoint, actor=actor)
        case "replay":
            since = SystemClock().now() - KEPT + timedelta(minutes=1)
            await webhooks.replay_since(account, endpoint, since, actor=actor)
        case "remove":
            await webhooks.remove(account, endpoint, actor=actor)
            return see_other(WEBHOOKS)
        case _:
            raise Malformed("act", "known_name")
    return see_other(_path(endpoint))


routes = [
    show_webhooks,
    make_webhook,
    show_webhook,
    show_message,
    replay_message,
    rotate_secret,
    act,
]
PAGES = RoomPages(
    "webhooks",
    "meterai.webhooks",
    links=[
        PageLink(
            LinkPlace.SECTION,
            20,
            "/account/webhooks",
            "page.account.webhooks",
            ShownTo.SIGNED_IN,
            Permission.WEBHOOKS_READ,
        )
    ],
)
