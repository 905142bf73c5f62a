"""Registration of the room `webhooks`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.plumbing.config import Settings
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.networks import networks_of
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.plumbing.work.leases import Lease
from meterai.plumbing.work.worker_pool import WorkerPool
from meterai.room import Container, Room
from meterai.webhooks import pages
from meterai.webhooks.adapters.egress import Egress
from meterai.webhooks.adapters.sending import Sender
from meterai.webhooks.audited import AUDITED
from meterai.webhooks.delivering import WebhookDelivery
from meterai.webhooks.demands import DEMANDS
from meterai.webhooks.invariants import INVARIANTS, MAIL_CAUSES
from meterai.webhooks.jobs import HANDLERS
from meterai.webhooks.knows import KNOWS
from meterai.webhooks.levers import LEVERS
from meterai.webhooks.metrics import METRICS
from meterai.webhooks.model import (
    ENDPOINT,
    MESSAGE,
    SECONDS_MAX,
    WEBHOOK_SUBJECT,
    DisabledWhy,
    EndpointState,
    Failure,
    MessageState,
)
from meterai.webhooks.personal import PERSONAL
from meterai.webhooks.recording import Publishing
from meterai.webhooks.retention import RETENTION
from meterai.webhooks.routes import routes
from meterai.webhooks.service import WebhookService
from meterai.webhooks.settings import WebhookSettings
from meterai.webhooks.signing import PURPOSE, Safe
from meterai.webhooks.store import LEASE_SECONDS

# For the statement that records an attempt, including the wait for a database connection.
_WRITING_SECONDS = 5.0


def _networks(settings: Settings) -> tuple[IPv4Network | IPv6Network, ...]:
    return networks_of("webhook_networks", settings.of(WebhookSettings).webhook_networks)


def _needs(settings: Settings, _keyring: Keyring) -> None:
    _networks(settings)


async def _build(container: Container) -> None:
    database, at = container.database, container.clock
    egress = Egress(_networks(container.settings))
    sender, safe = Sender(egress), Safe(container.keyring.derived(PURPOSE))
    container.close_with(sender.close)
    publishing = Publishing(container.offers.published, at)
    container.add(publishing)
    container.add(WebhookService(database, egress, safe, publishing, at))
    container.add(WebhookDelivery(database, sender, safe, at))


def _leases(_container: Container) -> Iterable[Lease]:
    yield Lease("webhooks", LEASE_SECONDS, SECONDS_MAX + _WRITING_SECONDS)


def _worker_pools(container: Container) -> Sequence[WorkerPool]:
    delivery = container.of(WebhookDelivery)
    return [delivery.worker_pool(), delivery.aside()]


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(
            "measure_webhooks",
            container.of(WebhookDelivery).measure,
            15.0,
            without_rows="counts the due messages, for the metrics",
        )
    ]


FIELDS = {
    (view, "state"): FieldDescription(list(EndpointState))
    for view in ("EndpointView", "EndpointSecret")
}
FIELDS |= {
    (view, "disabled_because"): FieldDescription(list(DisabledWhy))
    for view in ("EndpointView", "EndpointSecret")
}
FIELDS |= {
    (view, "state"): FieldDescription(list(MessageState))
    for view in ("DeliveryView", "DeliveryDetails")
}
FIELDS |= {
    ("AttemptView", "failure"): FieldDescription(list(Failure)),
    ("AttemptView", "number"): FieldDescription(least=1),
    ("Removed", "state"): FieldDescription([EndpointState.REMOVED]),
}


def _command(words: str, function: str) -> Command:
    place = f"meterai.webhooks.commands:{function}"
    return Command(words, place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT)


COMMANDS = (
    _command("webhooks list", "list_endpoints"),
    _command("webhooks deliveries", "list_deliveries"),
    _command("webhooks replay", "replay"),
)
ROOM = Room(
    name="webhooks",
    subjects=[WEBHOOK_SUBJECT],
    tables=frozenset({"webhook_endpoints", "webhook_messages", "webhook_attempts"}),
    lifecycles=(ENDPOINT, MESSAGE),
    settings=WebhookSettings,
    needs=_needs,
    build=_build,
    leases=_leases,
    services={"webhooks": WebhookService},
    routes=(*routes, *pages.routes),
    fields=FIELDS,
    examples={
        "webhook_id": "whk_06f9k2...",
        "message_id": "msg_06f9k2...",
        "description": "accounting",
        "url": "https://you.example/meterai",
        "events": '["order.executed", "refund.settled"]',
        "since": "2026-11-30T00:00:00Z",
    },
    pages=pages.PAGES,
    handlers=HANDLERS,
    tasks=_tasks,
    worker_pools=_worker_pools,
    demands=DEMANDS,
    commands=COMMANDS,
    command_groups={"webhooks": "Endpoints at which accounts are notified."},
    levers=LEVERS,
    knows=KNOWS,
    metrics=METRICS,
    invariants=INVARIANTS,
    mails={
        "webhook_disabled": "/account/webhooks/{webhook}",
    },
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
