"""SQL of webhooks, one function per query."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.watch import Piece
from meterai.webhooks.model import (
    ASIDE_SECONDS,
    ASIDE_UNDER_WAY_MAX,
    FAILED_MESSAGES_MIN,
    FAILING,
    SECONDS_MAX,
    TEST,
    Attempted,
    DeliveryLease,
    DisabledOfAccount,
    DisabledWhy,
    DueMessage,
    Endpoint,
    EndpointState,
    Made,
    Message,
    WebhookAttempt,
)

# A lease is longer than its work: one attempt, and the statement that records it.
LEASE_SECONDS = SECONDS_MAX * 3

_ENDPOINT = (
    "account_id AS account, endpoint_id AS id, url, description, events, state, why, made_at, moved_at, before_until,"
    " failing_since, failed_messages, is_aside"
)
_MESSAGE = (
    "account_id AS account, message_id AS id, endpoint_id AS endpoint, type, body, state, made_at, try_at, tries,"
    " attempts, delivered_at"
)
OF_ACCOUNT = f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE account_id = %s AND state <> 'removed' ORDER BY endpoint_id"  # noqa: S608 - columns are a constant
ONE = f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE account_id = %s AND endpoint_id = %s"  # noqa: S608
LOCKED = f"{ONE} FOR NO KEY UPDATE"
BY_ID = f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE endpoint_id = %s LIMIT 2"  # noqa: S608
BY_KEY = """
SELECT endpoint_id AS id, request_hash AS request, CASE WHEN rotate_key IS NULL THEN secret END AS secret, made_at
FROM webhook_endpoints
WHERE account_id = %s AND idempotency_key = %s
"""
OPENS = """
SELECT secret, rotate_key, before_until FROM webhook_endpoints WHERE account_id = %s AND endpoint_id = %s
"""
_INSERT = """
INSERT INTO webhook_endpoints (account_id, endpoint_id, url, description, events, secret, made_at, moved_at,
    idempotency_key, request_hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_CHANGE = """
UPDATE webhook_endpoints SET url = %s, description = %s, events = %s WHERE account_id = %s AND endpoint_id = %s
"""
_ENABLE = """
UPDATE webhook_endpoints SET state = 'enabled', why = NULL, moved_at = %s, failing_since = NULL, failed_messages = 0
WHERE account_id = %s AND endpoint_id = %s
"""
_ROTATE = """
UPDATE webhook_endpoints SET secret_before = secret, before_until = %s, secret = %s, rotate_key = %s
WHERE account_id = %s AND endpoint_id = %s
"""
_STOP = "SELECT webhook_stop(%s, %s, %s, %s)"
_ADD = "SELECT webhook_message_add(%s, %s, %s, %s, %s)"
TESTS = """
SELECT count(*) FROM webhook_messages
WHERE account_id = %s AND endpoint_id = %s AND message_id >= %s AND type = %s
"""
MESSAGES = f"""
SELECT {_MESSAGE} FROM webhook_messages WHERE account_id = %s AND endpoint_id = %s AND message_id < %s
    AND (%s::text IS NULL OR state = %s) ORDER BY message_id DESC LIMIT %s
"""  # noqa: S608
MESSAGE = f"SELECT {_MESSAGE} FROM webhook_messages WHERE account_id = %s AND message_id = %s"  # noqa: S608
MESSAGE_BY_ID = f"SELECT {_MESSAGE} FROM webhook_messages WHERE message_id = %s LIMIT 2"  # noqa: S608
ATTEMPTS = """
SELECT number, began_at, ms, status, answer, failure FROM webhook_attempts
WHERE account_id = %s AND message_id = %s ORDER BY number
"""
_REPLAY_ONE = """
UPDATE webhook_messages SET state = 'waiting', tries = 0, try_at = %s, delivered_at = NULL, is_aside = %s
WHERE account_id = %s AND message_id = %s AND state <> 'waiting'
"""
_REPLAY = """
UPDATE webhook_messages SET state = 'waiting', tries = 0, try_at = %s, is_aside = %s
WHERE account_id = %s AND message_id IN (SELECT message_id FROM webhook_messages
    WHERE account_id = %s AND endpoint_id = %s AND state = 'undelivered' AND made_at >= %s
    ORDER BY message_id LIMIT %s)
"""
_PIECE = "endpoint_id AS account, message_id AS id, try_at AS due_at, to_jsonb(account_id) AS what"
# Grouped by endpoint instead of account: the worker pools of `WebhookDelivery` share their slots by endpoint.
DUE = f"""
SELECT {_PIECE} FROM webhook_messages WHERE state = 'waiting' AND NOT is_aside
    AND try_at > now() - interval '10 seconds' AND try_at <= now()
ORDER BY try_at
"""  # noqa: S608
LOOK = f"""
SELECT {_PIECE} FROM webhook_messages WHERE state = 'waiting' AND NOT is_aside
    AND try_at > %s AND try_at <= now() AND endpoint_id <> ALL(%s)
ORDER BY try_at LIMIT %s
"""  # noqa: S608
# A few messages of each endpoint, those first that were not tried for the longest time. So a long
# queue of one endpoint does not delay the others.
LOOK_ASIDE = f"""
SELECT m.account, m.id, m.due_at, m.what
FROM webhook_endpoints e CROSS JOIN LATERAL (
    SELECT {_PIECE} FROM webhook_messages w
    WHERE w.account_id = e.account_id AND w.endpoint_id = e.endpoint_id AND w.state = 'waiting' AND w.try_at <= now()
    ORDER BY w.try_at LIMIT {ASIDE_UNDER_WAY_MAX}) AS m
WHERE e.is_aside AND e.state = 'enabled' AND e.endpoint_id <> ALL(%s)
ORDER BY e.tried_at LIMIT %s
"""  # noqa: S608
# Locked rows are skipped: another transaction is claiming, recording or moving them. So a claim never waits for a
# lock.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT m.account_id, m.message_id, d.began_at
    FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::boolean[]) AS d (account_id, message_id, began_at, is_aside)
    JOIN webhook_messages m ON m.account_id = d.account_id AND m.message_id = d.message_id
    WHERE m.state = 'waiting' AND m.try_at <= now() AND m.is_aside = d.is_aside
    FOR UPDATE OF m SKIP LOCKED)
UPDATE webhook_messages m SET try_at = now() + make_interval(secs => %s)
FROM due d, webhook_endpoints e
WHERE m.account_id = d.account_id AND m.message_id = d.message_id
    AND e.account_id = m.account_id AND e.endpoint_id = m.endpoint_id AND e.state = 'enabled'
RETURNING m.account_id AS account, m.endpoint_id AS endpoint, m.message_id AS message, e.url, m.body,
    m.tries + 1 AS tries, e.secret, CASE WHEN e.before_until > d.began_at THEN e.secret_before END AS secret_before
"""
# All transactions lock endpoints before messages, each kind in the same order, so that there are no
# deadlocks. A healthy endpoint is not locked: deliveries do not change its row, so that workers do
# not wait for each other.
_ATTEMPTED = f"""
WITH made AS MATERIALIZED (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::integer[], %s::integer[], %s::bytea[],
        %s::text[], %s::double precision[], %s::boolean[])
        AS d (account, endpoint, message, began_at, ms, status, answer, failure, wait, is_slow)),
held AS MATERIALIZED (
    SELECT e.account_id, e.endpoint_id
    FROM (SELECT account, endpoint, bool_or(failure IS NOT NULL OR is_slow) AS is_bad FROM made GROUP BY 1, 2) AS d
    JOIN webhook_endpoints e ON e.account_id = d.account AND e.endpoint_id = d.endpoint
    WHERE d.is_bad OR e.failing_since IS NOT NULL OR e.is_aside
    ORDER BY e.account_id, e.endpoint_id FOR NO KEY UPDATE OF e)
SELECT a.message, webhook_attempted(a.account, a.endpoint, a.message, a.began_at, a.ms, a.status, a.answer, a.failure, a.wait,
    a.is_slow, a.is_held, {FAILING.total_seconds()}, {FAILED_MESSAGES_MIN}, {ASIDE_SECONDS}) AS state
FROM (SELECT d.*, h.endpoint_id IS NOT NULL AS is_held
    FROM made d LEFT JOIN held h ON h.account_id = d.account AND h.endpoint_id = d.endpoint
    ORDER BY d.account, d.endpoint, d.message) AS a
"""  # noqa: S608 - numbers are constants
# Each count uses the index of its state.
_STANDING = """
SELECT (SELECT count(*) FROM webhook_messages WHERE state = 'waiting' AND NOT is_aside AND try_at <= now()) AS due,
    (SELECT count(*) FROM webhook_endpoints WHERE is_aside AND state = 'enabled') AS aside,
    (SELECT count(*) FROM webhook_endpoints WHERE state = 'disabled') AS disabled
"""
_DISABLED = """
SELECT account_id AS account, count(*)::integer AS endpoints FROM webhook_endpoints WHERE state = 'disabled' AND why <> 'asked'
GROUP BY account_id
"""
# Each condition uses its index.
_NOT_WELL = f"""
SELECT * FROM (
    (SELECT {_ENDPOINT} FROM webhook_endpoints WHERE state = 'disabled' ORDER BY moved_at LIMIT %s)
    UNION ALL
    (SELECT {_ENDPOINT} FROM webhook_endpoints WHERE is_aside AND state = 'enabled' ORDER BY tried_at LIMIT %s)
) found ORDER BY failing_since, moved_at LIMIT %s
"""  # noqa: S608
_UNDELIVERED_SINCE = """
SELECT count(*) FROM (SELECT 1 FROM webhook_messages
    WHERE account_id = %s AND endpoint_id = %s AND state = 'undelivered' AND made_at >= %s LIMIT %s) AS found
"""
_ENDPOINTS = RowMapper(Endpoint, state=EndpointState, why=DisabledWhy)
_OF_ACCOUNTS = RowMapper(DisabledOfAccount)
_MADE = RowMapper(Made)
_MESSAGES = RowMapper(Message)
_ATTEMPTS = RowMapper(WebhookAttempt)
_PIECES = RowMapper(Piece)
_DELIVERIES = RowMapper(DueMessage)


async def lock_account(tx: Tx, account: UUID) -> None:
    """Lock the endpoints of an account against concurrent changes, until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(16124, hashtext(%s))", str(account))


async def endpoints(tx: ReadTx, account: UUID) -> list[Endpoint]:
    """Return the endpoints of an account that were not removed, the oldest first."""
    return await tx.all_as(_ENDPOINTS, OF_ACCOUNT, account)


async def endpoint(tx: ReadTx, account: UUID, endpoint_id: UUID) -> Endpoint | None:
    """Return the endpoint with this id, even if it was removed; None if it does not exist."""
    return await tx.one_as(_ENDPOINTS, ONE, account, endpoint_id)


async def locked(tx: Tx, account: UUID, endpoint_id: UUID) -> Endpoint | None:
    """Return the endpoint with this id, locked until the transaction ends; None if it does not exist."""
    return await tx.one_as(_ENDPOINTS, LOCKED, account, endpoint_id)


async def by_id(tx: ReadTx, endpoint_id: UUID) -> list[Endpoint]:
    """Return the endpoint with this id, of any account, as a list with at most one element."""
    return await tx.all_as(_ENDPOINTS, BY_ID, endpoint_id)


async def by_key(tx: ReadTx, account: UUID, key: str) -> Made | None:
    """Return the endpoint made by a request with this Idempotency-Key; None if there was no such request."""
    return await tx.one_as(_MADE, BY_KEY, account, key)


async def secret(
    tx: ReadTx, account: UUID, endpoint_id: UUID
) -> tuple[bytes, str | None, datetime | None]:
    """Return (encrypted secret of an endpoint, Idempotency-Key of the rotation that made it, time until which messages are
    signed with the earlier secret as well).

    The key and the time are None for the first secret.
    """
    row = await tx.one(OPENS, account, endpoint_id)
    assert row is not None
    return row["secret"], row["rotate_key"], row["before_until"]


async def insert(
    tx: Tx,
    made: Endpoint,
    sealed: bytes,
    key: str,
    request: bytes,
) -> None:
    """Insert an endpoint."""
    await tx.run(
        _INSERT,
        made.account,
        made.id,
        made.url,
        made.description,
        list(made.events),
        sealed,
        made.made_at,
        made.moved_at,
        key,
        request,
    )


async def change(tx: Tx, changed: Endpoint) -> None:
    """Change URL, description and types of an endpoint."""
    await tx.run(
        _CHANGE,
        changed.url,
        changed.description,
        list(changed.events),
        changed.account,
        changed.id,
    )


async def enable(tx: Tx, account: UUID, endpoint_id: UUID, at: datetime) -> None:
    """Enable an endpoint and reset its failures."""
    await tx.run(_ENABLE, at, account, endpoint_id)


async def stop(
    tx: Tx, account: UUID, endpoint_id: UUID, state: EndpointState, why: DisabledWhy | None
) -> None:
    """Disable or remove an endpoint; its waiting messages become undelivered."""
    await tx.run(_STOP, account, endpoint_id, state, why)


async def rotate(
    tx: Tx, account: UUID, endpoint_id: UUID, sealed: bytes, key: str, until: datetime
) -> None:
    """Give an endpoint a new secret; until `until`, messages are signed with the earlier secret as well."""
    await tx.run(_ROTATE, until, sealed, key, account, endpoint_id)


async def add(
    tx: Tx, account: UUID, endpoint_id: UUID, message: UUID, type_: str, body: str
) -> None:
    """Queue a message to an endpoint."""
    await tx.run(_ADD, account, endpoint_id, message, type_, body)


async def tests_since(tx: ReadTx, account: UUID, endpoint_id: UUID, since: UUID) -> int:
    """Count the test messages to an endpoint whose ids are not before the id `since` (ids are ordered by time)."""
    return int(await tx.value(TESTS, account, endpoint_id, since, TEST))


async def messages(
    tx: ReadTx, account: UUID, endpoint_id: UUID, before: UUID, state: str | None, limit: int
) -> list[Message]:
    """Return messages to an endpoint with ids before `before`, newest first, of one state if `state` is given."""
    return await tx.all_as(_MESSAGES, MESSAGES, account, endpoint_id, before, state, state, limit)


async def message(tx: ReadTx, account: UUID, message_id: UUID) -> Message | None:
    """Return one message of an account; None if the account has no such message."""
    return await tx.one_as(_MESSAGES, MESSAGE, account, message_id)


async def message_by_id(tx: ReadTx, message_id: UUID) -> list[Message]:
    """Return the message with this id, of any account, as a list with at most one element."""
    return await tx.all_as(_MESSAGES, MESSAGE_BY_ID, message_id)


async def attempts(tx: ReadTx, account: UUID, message_id: UUID) -> list[WebhookAttempt]:
    """Return the attempts to deliver a message, the first one first."""
    return await tx.all_as(_ATTEMPTS, ATTEMPTS, account, message_id)


async def replay(tx: Tx, found: Message, at: datetime, *, is_aside: bool) -> None:
    """Queue a message again; a waiting message is not changed."""
    await tx.run(_REPLAY_ONE, at, is_aside, found.account, found.id)


async def replay_since(tx: Tx, to: Endpoint, at: datetime, since: datetime, limit: int) -> int:
    """Queue again undelivered messages that were created since a moment, at most `limit`. Return their number."""
    return await tx.run(_REPLAY, at, to.is_aside, to.account, to.account, to.id, since, limit)


async def due(tx: ReadTx, since: datetime, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Return messages that became due after `since`, except messages to slow endpoints and to the endpoints in
    `without`.
    """
    return await tx.all_as(_PIECES, LOOK, since, list(without), limit)


async def due_to_slow(tx: ReadTx, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Return due messages to slow endpoints, a few to each endpoint, except messages to the endpoints in
    `without`.
    """
    return await tx.all_as(_PIECES, LOOK_ASIDE, list(without), limit)


async def claim(tx: Tx, wanted: Sequence[DeliveryLease]) -> list[DueMessage | None]:
    """Lease due messages and return them in the given order.

    A message is None in the result if another process has leased it, or if it no longer waits in this worker pool.
    """
    columns = zip(*wanted, strict=True)
    rows = await tx.all_as(_DELIVERIES, CLAIM, *map(list, columns), LEASE_SECONDS)
    found = {one.message: one for one in rows}
    return [found.get(one.message) for one in wanted]


async def attempted(tx: Tx, made: Sequence[Attempted]) -> list[str | None]:
    """Record attempts, and set the resulting states of messages and endpoints. Return for each attempt the
    state of its endpoint.
    """
    columns = zip(
        *(
            (
                one.of.account,
                one.of.endpoint,
                one.of.message,
                one.made.began_at,
                one.made.ms,
                one.made.status,
                one.made.answer,
                one.made.failure,
                one.wait,
                one.is_slow,
            )
            for one in made
        ),
        strict=True,
    )
    rows = await tx.all(_ATTEMPTED, *map(list, columns))
    found: dict[UUID, str | None] = {row["message"]: row["state"] for row in rows}
    return [found[one.of.message] for one in made]


async def disabled(tx: ReadTx) -> list[DisabledOfAccount]:
    """Count the endpoints that the platform disabled, by account."""
    return await tx.all_as(_OF_ACCOUNTS, _DISABLED)


async def unhealthy(tx: ReadTx, limit: int) -> list[Endpoint]:
    """Return endpoints that are disabled or answer slowly, the longest failing first."""
    return await tx.all_as(_ENDPOINTS, _NOT_WELL, limit, limit, limit)


async def undelivered_since(tx: ReadTx, of: Endpoint, since: datetime, limit: int) -> int:
    """Count undelivered messages created since a moment, up to `limit`."""
    return int(await tx.value(_UNDELIVERED_SINCE, of.account, of.id, since, limit))


async def standing(tx: ReadTx) -> tuple[int, int, int]:
    """Return the numbers of due messages, slow endpoints and disabled endpoints."""
    row = await tx.one(_STANDING)
    assert row is not None
    return row["due"], row["aside"], row["disabled"]
