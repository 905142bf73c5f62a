"""SQL of privacy, one function per query."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from meterai.accounts import NOBODY
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused
from meterai.privacy.model import (
    ANSWERED_WITHIN,
    Breach,
    BreachState,
    DueBreach,
    DueRequest,
    PrivacyRequestKind,
    Request,
)

COPIES, ERASURES, LETTING_GO = "make_copies", "carry_out_erasures", "let_copies_go"
TELLING = "tell_of_breaches"
_COLUMNS = "account_id AS account, request_id AS id, kind, state, asked_at, due_at, answered_at, acts_at, ended_at, fates"
_SELECT = f"SELECT {_COLUMNS} FROM privacy_requests"  # noqa: S608 - columns are a constant
_OPEN = "state IN ('asked', 'made', 'closing')"


def _request(kind: str, **row: Any) -> Request:
    return Request(kind=PrivacyRequestKind(kind), **row)


_REQUESTS = RowMapper(_request)
_DUE_REQUESTS = RowMapper(DueRequest)
DUE = f"""
SELECT account_id AS account, request_id AS request FROM privacy_requests o
WHERE look_at <= %s AND kind = %s AND state = ANY(%s) AND {not_paused("{round}", "request_id")}
ORDER BY look_at LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - names are constants


async def insert(
    tx: Tx,
    account: UUID,
    request: UUID,
    kind: PrivacyRequestKind,
    *,
    at: datetime,
    acts_at: datetime | None,
    look_at: datetime,
) -> bool:
    """Insert a data request.  Return false without inserting if the account has an open request of this kind."""
    return bool(
        await tx.run(
            "INSERT INTO privacy_requests (account_id, request_id, kind, state, asked_at, due_at, answered_at, acts_at, look_at)"
            " VALUES (%s, %s, %s, 'asked', %s, %s, %s, %s, %s)"
            " ON CONFLICT (account_id, kind) WHERE state IN ('asked', 'made', 'closing') DO NOTHING",
            account,
            request,
            kind,
            at,
            at + ANSWERED_WITHIN,
            at if acts_at else None,  # the page answers a request for an erasure at once
            acts_at,
            look_at,
        )
    )


async def request(tx: ReadTx, account: UUID, request: UUID) -> Request | None:
    """Return the data request with this id; None if it does not exist."""
    return await tx.one_as(
        _REQUESTS, f"{_SELECT} WHERE account_id = %s AND request_id = %s", account, request
    )


async def locked(tx: Tx, account: UUID, request: UUID) -> Request | None:
    """Return the data request with this id, locked until the transaction ends; None if it does not exist."""
    query = f"{_SELECT} WHERE account_id = %s AND request_id = %s FOR UPDATE"
    return await tx.one_as(_REQUESTS, query, account, request)


async def open_of(tx: Tx, account: UUID, kind: PrivacyRequestKind) -> Request | None:
    """Return the account's open data request of a kind, locked until the transaction ends; None if there is no such request."""
    query = f"{_SELECT} WHERE account_id = %s AND kind = %s AND {_OPEN} FOR UPDATE"
    return await tx.one_as(_REQUESTS, query, account, kind)


async def requests_of_account(tx: ReadTx, account: UUID, limit: int) -> list[Request]:
    """Return the newest data requests of an account."""
    query = f"{_SELECT} WHERE account_id = %s ORDER BY request_id DESC LIMIT %s"
    return await tx.all_as(_REQUESTS, query, account, limit)


async def newest(tx: ReadTx, limit: int) -> list[Request]:
    """Return the newest data requests of all accounts."""
    return await tx.all_as(_REQUESTS, f"{_SELECT} ORDER BY asked_at DESC LIMIT %s", limit)


async def unanswered(tx: ReadTx, limit: int) -> list[Request]:
    """Return unanswered data requests, the most urgent first."""
    query = f"{_SELECT} WHERE answered_at IS NULL ORDER BY due_at LIMIT %s"
    return await tx.all_as(_REQUESTS, query, limit)


async def count_copies(tx: ReadTx, account: UUID, since: datetime) -> int:
    """Count the copies that an account requested after `since`."""
    found = await tx.value(
        "SELECT count(*) FROM privacy_requests WHERE account_id = %s AND kind = 'copy' AND asked_at > %s",
        account,
        since,
    )
    assert isinstance(found, int)
    return found


async def due(
    tx: Tx, task: str, kind: PrivacyRequestKind, states: Sequence[str], now: datetime, limit: int
) -> list[DueRequest]:
    """Return data requests of a kind, in one of these states, that the periodic task `task` has to process now."""
    query = DUE.format(round=task)
    return await tx.all_as(_DUE_REQUESTS, query, now, kind, list(states), limit)


async def move(
    tx: Tx,
    about: Request,
    state: str,
    *,
    look_at: datetime | None,
    answered_at: datetime | None = None,
    ended_at: datetime | None = None,
    fates: Sequence[Mapping[str, object]] | None = None,
) -> None:
    """Set the state of a data request and the time of its next check.  Times that were set before are not changed."""
    await tx.run(
        "UPDATE privacy_requests SET state = %s, look_at = %s, answered_at = coalesce(answered_at, %s),"
        " ended_at = coalesce(ended_at, %s), fates = coalesce(%s, fates) WHERE account_id = %s AND request_id = %s",
        state,
        look_at,
        answered_at,
        ended_at,
        None if fates is None else jsonb(list(fates)),
        about.account,
        about.id,
    )


async def kept_copies(tx: ReadTx, requests: Sequence[UUID]) -> set[UUID]:
    """Return those of these data requests whose copy is still requested or stored, so that its object in the object store must
    be kept.
    """
    found = await tx.value(
        "SELECT coalesce(array_agg(request_id), '{}') FROM privacy_requests"
        " WHERE request_id = ANY(%s) AND kind = 'copy' AND state IN ('asked', 'made')",
        list(requests),
    )
    assert isinstance(found, list)
    return set(found)


# -- breaches --------------------------------------------------------------------------------------

_BREACH = """
SELECT breach_id AS id, state, opened_at, known_at, due_at,
    jsonb_build_object('id', exposed_id, 'en', exposed_en) AS exposed,
    jsonb_build_object('id', happened_id, 'en', happened_en) AS happened,
    jsonb_build_object('id', handling_id, 'en', handling_en) AS handling,
    accounts, agency_told_at, subjects_from, subjects_after, subjects_told_at, subjects_told, not_told, closed_at
FROM breaches
"""


def _breach(state: str, **row: Any) -> Breach:
    return Breach(state=BreachState(state), **row)


_BREACHES = RowMapper(_breach)
_DUE_BREACHES = RowMapper(DueBreach)
# Uses the index of open breaches.
TO_TELL = f"""
SELECT account_id AS account, breach_id AS breach FROM (
    SELECT '{NOBODY}'::uuid AS account_id, breach_id, due_at FROM breaches
    WHERE state = 'open' AND subjects_from IS NOT NULL AND subjects_told_at IS NULL) o
WHERE {not_paused(TELLING, "breach_id")}
ORDER BY due_at LIMIT %s
"""  # noqa: S608 - names are constants


async def insert_breach(
    tx: Tx,
    breach: UUID,
    *,
    at: datetime,
    known_at: datetime,
    texts: Sequence[str],
    accounts: Sequence[UUID] | None,
) -> None:
    """Insert a breach."""
    await tx.run(
        "INSERT INTO breaches (breach_id, opened_at, known_at, due_at, exposed_id, exposed_en, happened_id, happened_en,"
        " handling_id, handling_en, accounts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        breach,
        at,
        known_at,
        known_at + ANSWERED_WITHIN,
        *texts,
        None if accounts is None else list(accounts),
    )


async def breach(tx: ReadTx, breach: UUID) -> Breach | None:
    """Return the breach with this id; None if it does not exist."""
    return await tx.one_as(_BREACHES, _BREACH + "WHERE breach_id = %s", breach)


async def locked_breach(tx: Tx, breach: UUID) -> Breach | None:
    """Return the breach with this id, locked until the transaction ends; None if it does not exist."""
    return await tx.one_as(_BREACHES, _BREACH + "WHERE breach_id = %s FOR UPDATE", breach)


async def breaches(tx: ReadTx, limit: int) -> list[Breach]:
    """Return breaches: open ones by due time, then closed ones, the newest first."""
    query = (
        _BREACH
        + "ORDER BY state DESC, CASE WHEN state = 'open' THEN due_at END, opened_at DESC LIMIT %s"
    )
    return await tx.all_as(_BREACHES, query, limit)


async def open_breaches(tx: ReadTx, limit: int) -> list[Breach]:
    """Return open breaches, the most urgent first."""
    return await tx.all_as(
        _BREACHES, _BREACH + "WHERE state = 'open' ORDER BY due_at LIMIT %s", limit
    )


async def to_tell(tx: ReadTx, limit: int) -> list[DueBreach]:
    """Return open breaches whose mails to subjects are not all queued, the most urgent first."""
    return await tx.all_as(_DUE_BREACHES, TO_TELL, limit)


async def tell_agency(tx: Tx, breach: UUID, at: datetime) -> None:
    """Record the time at which the agency was notified."""
    await tx.run("UPDATE breaches SET agency_told_at = %s WHERE breach_id = %s", at, breach)


async def begin_telling(tx: Tx, breach: UUID, at: datetime) -> None:
    """Record the time at which the notification of subjects began."""
    await tx.run("UPDATE breaches SET subjects_from = %s WHERE breach_id = %s", at, breach)


async def told_to(
    tx: Tx, breach: UUID, after: UUID | None, number: int, ended_at: datetime | None
) -> None:
    """Record that `number` more subjects were notified, and that `after` is the last account processed. `ended_at` is set once
    all are notified.
    """
    await tx.run(
        "UPDATE breaches SET subjects_after = coalesce(%s, subjects_after), subjects_told = subjects_told + %s,"
        " subjects_told_at = %s WHERE breach_id = %s",
        after,
        number,
        ended_at,
        breach,
    )


async def close_breach(tx: Tx, breach: UUID, not_told: str, at: datetime) -> None:
    """Close a breach.  `not_told` is the reason why a recipient was not notified, or empty."""
    await tx.run(
        "UPDATE breaches SET state = 'closed', not_told = %s, closed_at = %s WHERE breach_id = %s",
        not_told,
        at,
        breach,
    )
