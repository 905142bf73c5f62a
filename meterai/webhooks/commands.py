"""Commands of webhooks: list failing endpoints, list the messages to an endpoint, send messages again."""

from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Between,
    By,
    DryRun,
    OptionalText,
    Options,
    Reason,
    Text,
    line,
    tell_counted,
    with_database,
)
from meterai.kit.ids import read, show
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx
from meterai.webhooks import store
from meterai.webhooks.levers import REPLAY, WebhookReplay
from meterai.webhooks.model import ENDPOINT_KIND, MESSAGE_KIND, Endpoint, Message

LISTED_MAX = 1_000
Most = Annotated[int, Parameter(help="Messages.", validator=Between(1, LISTED_MAX))]


def list_endpoints(
    account: OptionalText = None, *, as_json: AsJson = False, options: Options = NO_OPTIONS
) -> None:
    """List endpoints that are disabled or slow, the longest failing first; with ACCOUNT (acc_...), all endpoints of that
    account.
    """

    async def look(database: Database, _: Settings) -> list[dict[str, object]]:
        async with database.reading() as tx:
            found = (
                await store.endpoints(tx, read("acc", account))
                if account
                else await store.unhealthy(tx, LISTED_MAX)
            )
            return [_shown(one) for one in found]

    tell_counted(with_database("webhooks list", options, look), as_json=as_json)


def _shown(one: Endpoint) -> dict[str, object]:
    return {
        "webhook": show(ENDPOINT_KIND, one.id),
        "account": show("acc", one.account),
        "host": urlsplit(one.url).hostname or "",
        "state": "slow" if one.is_aside and one.state == "enabled" else str(one.state),
        "why": str(one.why or ""),
        "since": one.moved_at.isoformat(timespec="seconds"),
        "failing_since": one.failing_since.isoformat(timespec="seconds")
        if one.failing_since
        else "",
    }


def list_deliveries(
    webhook: Text,
    *,
    state: OptionalText = None,
    most: Most = 50,
    as_json: AsJson = False,
    options: Options = NO_OPTIONS,
) -> None:
    """List the newest messages to a WEBHOOK (whk_...) with the last attempt of each; --state lists one state, such as
    undelivered.
    """
    endpoint = read(ENDPOINT_KIND, webhook)

    async def look(database: Database, _: Settings) -> list[dict[str, object]]:
        async with database.reading() as tx:
            known = await store.by_id(tx, endpoint)
            if not known:
                raise NotFound("no such webhook")
            account = known[0].account
            found = await store.messages(tx, account, endpoint, ListPage().before, state, most)
            return [await _message_line(tx, one) for one in found]

    tell_counted(with_database("webhooks deliveries", options, look), as_json=as_json)


async def _message_line(tx: ReadTx, one: Message) -> dict[str, object]:
    attempts = await store.attempts(tx, one.account, one.id)
    last = attempts[-1] if attempts else None
    return {
        "message": show(MESSAGE_KIND, one.id),
        "type": one.type,
        "state": str(one.state),
        "made": one.made_at.isoformat(timespec="seconds"),
        "attempts": one.attempts,
        "status": "" if last is None or last.status is None else last.status,
        "failure": "" if last is None else str(last.failure or ""),
    }


def replay(
    webhook: Text,
    *,
    since: Annotated[Text, Parameter(help="A day in WIB, or a moment; at most 30 days back.")],
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Send again the undelivered messages to a WEBHOOK (whk_...) that were created since a moment."""
    asked = WebhookReplay(webhook, since)
    approvals.pull(options, REPLAY, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"messages that {webhook} did not accept are sent again")
