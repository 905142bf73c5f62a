"""SQL of the log of requests, one function for each query."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import msgspec

from meterai.accounts import KEY_KIND
from meterai.kit.ids import show
from meterai.kit.paging import ListPage
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.requests.model import (
    ENTRY_KIND,
    RefusedRequest,
    RequestEntry,
    RequestFilter,
    RequestView,
)

# The lines are passed as one JSON text: an array for each column would cost the database three times as much.
_WRITE = """
INSERT INTO api_requests (account_id, entry_id, at, request, key_id, method, route, path, status, code, milliseconds,
    idempotency_key, bytes_in, bytes_out)
SELECT account_id, entry_id, at, request, key_id, method, route, path, status, code, milliseconds, idempotency_key,
    bytes_in, bytes_out
FROM json_to_recordset(%s::json) AS r (account_id uuid, entry_id uuid, at timestamptz, request text, key_id uuid,
    method text, route text, path text, status smallint, code text, milliseconds integer, idempotency_key text,
    bytes_in bigint, bytes_out bigint)
ON CONFLICT ON CONSTRAINT api_requests_pkey DO NOTHING
"""
_OF_ACCOUNT = """
SELECT entry_id AS id, at, request AS request_id, key_id, '' AS key_name, method, route, path, status, code,
    milliseconds, idempotency_key, bytes_in, bytes_out
FROM api_requests
WHERE account_id = %s AND entry_id < %s AND (%s::uuid IS NULL OR key_id = %s)
    AND (%s::int IS NULL OR status / 100 = %s) AND (%s::timestamptz IS NULL OR at >= %s)
    AND (%s::text IS NULL OR request = %s)
ORDER BY entry_id DESC LIMIT %s
"""
_REFUSED = """
SELECT at, request, method, path, status, code FROM api_requests
WHERE account_id = %s AND status >= 400 ORDER BY entry_id DESC LIMIT %s
"""
_VIEWS = RowMapper(RequestView, id=partial(show, ENTRY_KIND), key_id=partial(show, KEY_KIND))
_REFUSALS = RowMapper(RefusedRequest)


async def write(tx: Tx, entries: Sequence[RequestEntry]) -> None:
    """Insert lines into the request log; a line whose id the table has already is left as it is."""
    await tx.run(_WRITE, msgspec.json.encode(entries).decode())


async def requests_of(
    tx: ReadTx, account: UUID, wanted: RequestFilter, page: ListPage
) -> list[RequestView]:
    """Return a page of an account's lines of the request log, newest first, and one more line if there is another page."""
    twice = [one for value in wanted for one in (value, value)]
    return await tx.all_as(_VIEWS, _OF_ACCOUNT, account, page.before, *twice, page.wanted)


async def accounts_of_request(tx: ReadTx, request: str, limit: int) -> list[UUID]:
    """Return the accounts whose request log has a line with this Request-Id."""
    found = await tx.all(
        "SELECT DISTINCT account_id FROM api_requests WHERE request = %s LIMIT %s", request, limit
    )
    return [row["account_id"] for row in found]


async def refused(tx: ReadTx, account: UUID, limit: int) -> list[RefusedRequest]:
    """Return the newest lines of an account's request log about refused requests."""
    return await tx.all_as(_REFUSALS, _REFUSED, account, limit)
