"""Event handlers of webhooks: what is published, and the mail about an endpoint that was disabled."""

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
    """An event happened of which its account wants to be told: queue messages to its endpoints."""
    await publishing.tell(tx, event)


async def tell_disabled(tx: Tx, event: WebhookDisabled) -> None:
    """An endpoint was disabled because its attempts failed: queue the mail that says so."""
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
            "url": found.url,
            "why": {one: translate(f"webhook.why.{event.why}", one) for one in LANGUAGES},
        },
    )


def publishing(event: type[Event]) -> Subscription:
    """What tells the accounts that ask for it of an event."""
    return on(event, publish, gives_up=True, service=Publishing)


HANDLERS = (on(WebhookDisabled, tell_disabled, gives_up=True),)
