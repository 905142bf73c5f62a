"""Lever (staff action with a forecast) of webhooks: send undelivered messages of an endpoint again."""

from datetime import datetime

import msgspec

from meterai import trail
from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.actor import Actor
from meterai.kit.ids import read, show
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Subject
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.figures import moment
from meterai.webhooks import store
from meterai.webhooks.model import (
    ENDPOINT_KIND,
    KEPT,
    REPLAYED_MAX,
    WEBHOOK_SUBJECT,
    Endpoint,
    EndpointState,
    WebhookNotEnabled,
)


class WebhookReplay(msgspec.Struct, frozen=True):
    """Arguments of the lever that sends messages again.

    `webhook` is the id of the endpoint (`whk_...`).  Messages created since `since`, a day in WIB or a moment, are sent.
    """

    webhook: str
    since: str


async def _endpoint(tx: ReadTx, asked: WebhookReplay) -> Endpoint:
    """Return the endpoint that `asked` names; it must be enabled. Refuses `NotFound`, `WebhookNotEnabled`."""
    found = await store.by_id(tx, read(ENDPOINT_KIND, asked.webhook))
    if len(found) != 1 or found[0].state == EndpointState.REMOVED:
        raise NotFound("no such webhook")
    if found[0].state != EndpointState.ENABLED:
        raise WebhookNotEnabled("the webhook is disabled")
    return found[0]


def _since(asked: WebhookReplay, now: datetime) -> datetime:
    return max(moment(asked.since, "since"), now - KEPT)


async def _would_replay(tx: ReadTx, asked: WebhookReplay, pull: Pull) -> Forecast:
    found, since = await _endpoint(tx, asked), _since(asked, pull.at)
    count = await store.undelivered_since(tx, found, since, REPLAYED_MAX)
    about = Subject(WEBHOOK_SUBJECT.kind, show(ENDPOINT_KIND, found.id), found.account)
    return Forecast([Effect("webhook_replays", {"messages": count}, about)], count)


async def _replay(tx: Tx, asked: WebhookReplay, pull: Pull) -> None:
    one = await _endpoint(tx, asked)
    found = await store.locked(tx, one.account, one.id)
    if found is None or found.state != EndpointState.ENABLED:
        raise WebhookNotEnabled("the webhook is disabled")
    count = await store.replay_since(tx, found, pull.at, _since(asked, pull.at), REPLAYED_MAX)
    await _record(tx, found, pull.actor, count)


async def _record(tx: Tx, about: Endpoint, actor: Actor, count: int) -> None:
    subject = show(ENDPOINT_KIND, about.id)
    await trail.record(
        tx,
        about.account,
        actor=actor,
        action="webhook_replayed",
        subject=subject,
        messages=count,
    )


REPLAY = Lever(
    name="webhooks replay",
    permission=Permission.CONSOLE_OPERATIONS,
    arguments=WebhookReplay,
    forecast=_would_replay,
    carry_out=_replay,
    offered=offered_on(WEBHOOK_SUBJECT.kind, "webhook"),
)
LEVERS = (REPLAY,)
