"""Accounts in the console: search by address or id, timelines, work lists of API keys that end soon and of organizations
that wait for approval.
"""

from collections.abc import Sequence
from datetime import datetime

from meterai.accounts import store
from meterai.accounts.model import (
    ACCOUNT_KIND,
    EMAIL_LENGTH_MAX,
    KEY_KIND,
    KEY_NEAR_END,
    Permission,
    normalized,
)
from meterai.kit.ids import read_typed, show
from meterai.kit.refusal import Malformed
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem, account_subject
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList

TOLD_MAX = 20  # sessions, and API keys, on a timeline; acts on them are in the trail


async def find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    """Return the account of the person with this id or mail address, as a subject of the console (an object that staff look
    up); return nothing if no person has it.
    """
    account = read_typed(ACCOUNT_KIND, text)
    if account is not None:
        known = await store.account_told(tx, account)  # also the account of an erased person
        return [account_subject(account)] if known and not known.organization_at else ()
    if "@" not in text or len(text) > EMAIL_LENGTH_MAX:
        return ()
    try:
        account = await store.account_by_email(tx, normalized(text))
    except Malformed:
        return ()
    return [account_subject(account)] if account else ()


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the happenings (events in the history) of an account: its making, its organization, the last uses of its sessions
    and API keys.
    """
    if about.kind != SubjectKind.ACCOUNT or about.account is None:
        return ()
    known = await store.account_told(tx, about.account)
    if known is None:
        return ()
    told = [Happening(known.made_at, "account_made", {"address": known.email}, for_staff=True)]
    if known.organization_at is not None:
        facts = {"name": known.organization}
        told.append(Happening(known.organization_at, "account_organization", facts))
    for session in await store.sessions(tx, about.account, TOLD_MAX):
        facts = {"browser": session.browser, "system": session.system}
        at = session.last_used_at or session.begun_at
        told.append(Happening(at, "account_session_used", facts, for_staff=True))
    for key in await store.api_keys(tx, about.account, TOLD_MAX):
        if key.last_used_at is not None:
            facts = {"name": key.name, "key": key.id}
            told.append(Happening(key.last_used_at, "account_key_used", facts, for_staff=True))
    return told


async def _near_end(tx: ReadTx, _: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(
            account_subject(one.account),
            one.expires_at - KEY_NEAR_END,
            one.expires_at,
            {"name": one.name, "key": show(KEY_KIND, one.key)},
        )
        for one in await store.keys_near_end(tx, now, now + KEY_NEAR_END, limit)
    ]


async def _organizations_waiting(
    tx: ReadTx, _: Settings, _now: datetime, limit: int
) -> Sequence[WorkItem]:
    return [
        WorkItem(account_subject(one.account), one.made_at, None, {"name": one.name})
        for one in await store.waiting_organizations(tx, limit)
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (
    WorkList(name="keys_near_end", permission=Permission.CONSOLE_READ, waiting=_near_end),
    WorkList(
        name="organizations",
        permission=Permission.CONSOLE_ORGANIZATIONS,
        waiting=_organizations_waiting,
    ),
)
