"""Webhooks for the console: staff find an endpoint by its id or by the id of a message; the endpoint's timeline
has undelivered messages.

Staff see neither the body of a message nor the receiver's answer. The facts of an event are in the timeline of its room.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from meterai.kit.ids import read_typed, show
from meterai.kit.paging import ListPage
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows
from meterai.webhooks import store
from meterai.webhooks.model import ENDPOINT_KIND, MESSAGE_KIND, WEBHOOK_SUBJECT, Endpoint, Message

MESSAGES_TOLD_MAX = 50  # the newest messages of an endpoint


def subject(one: Endpoint) -> Subject:
    """Return the `Subject` that names an endpoint in the console."""
    return Subject(WEBHOOK_SUBJECT.kind, show(ENDPOINT_KIND, one.id), one.account)


async def disabled_by_account(tx: ReadTx) -> dict[UUID, int]:
    """Count the endpoints that the platform disabled, by account; accounts without such an endpoint are left out."""
    return {one.account: one.endpoints for one in await store.disabled(tx)}


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    if endpoint := read_typed(ENDPOINT_KIND, text):
        return [subject(one) for one in await store.by_id(tx, endpoint)]
    if message := read_typed(MESSAGE_KIND, text):
        found = await store.message_by_id(tx, message)
        return [
            Subject(WEBHOOK_SUBJECT.kind, show(ENDPOINT_KIND, one.endpoint), one.account)
            for one in found
        ]
    return ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.account is None:
        return ()
    if about.kind == SubjectKind.ACCOUNT:
        return [_made(one) for one in await store.endpoints(tx, about.account)]
    if about.kind != WEBHOOK_SUBJECT.kind:
        return ()
    endpoint = read_typed(ENDPOINT_KIND, about.shown)
    found = await store.endpoint(tx, about.account, endpoint) if endpoint else None
    if found is None:
        return ()
    messages = await store.messages(
        tx, found.account, found.id, ListPage().before, None, MESSAGES_TOLD_MAX
    )
    return [_made(found), *_message_happenings(messages)]


def _made(one: Endpoint) -> Happening:
    facts = {"webhook": show(ENDPOINT_KIND, one.id), "host": urlsplit(one.url).hostname or ""}
    return Happening(one.made_at, "webhook_endpoint", facts, subject(one), begins=True)


def _message_happenings(messages: Sequence[Message]) -> Iterator[Happening]:
    for one in messages:
        facts: dict[str, object] = {
            "message": show(MESSAGE_KIND, one.id),
            "type": one.type,
            "attempts": one.attempts,
        }
        yield Happening(one.made_at, f"webhook_{one.state}", facts, for_staff=True)


KNOWS = Knows(find=_find, tell=_tell)
