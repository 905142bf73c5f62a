"""Event handlers of webhooks: publication of events, and the mail about a disabled endpoint."""

from meterai import notifications
from meterai.kit.ids import show
from meterai.plumbing.db.database import Tx
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.plumbing.work.events import Event, Subscription, on
from meterai.webhooks import store
from meterai.webhooks.events import WebhookDisabled
from meterai.webhooks.model import ENDPOINT_KIND
from meterai.webhooks.recording import Publishing


async def publish(tx: Tx, event: Event, publishing: Publishing) -> None:
    """Queue messages about an event to the endpoints of its account."""
    await publishing.tell(tx, event)


async def tell_disabled(tx: Tx, event: WebhookDisabled) -> None:
    """Queue the mail about an endpoint that was disabled because its attempts failed."""
    found = await store.endpoint(tx, event.account, event.endpoint)
    if found is None:
        return
    await notifications.queue(
        tx,
        event.account,
        cause=f"webhook_disabled:{event.stop}",
        template="webhook_disabled",
        facts={
            "webhook": show(ENDPOINT_KIND, found.id),
            "receiver": found.url,
            "why": {one: translate(f"webhook.why.{event.why}", one) for one in LANGUAGES},
        },
    )


def publishing(event: type[Event]) -> Subscription:
    """Return the subscription by which each event of this type is published to webhook endpoints."""
    return on(event, publish, gives_up=True, service=Publishing)


HANDLERS = (on(WebhookDisabled, tell_disabled, gives_up=True),)
