"""The QRs of attempts: each pays us, the attempt's amount, under the attempt's reference.

A QR that was exchanged in the database sends a buyer's money to somebody else, and nothing in the
books knows of it.  So it is read again: what is in it is what banks act on.
"""

from collections.abc import Collection
from uuid import UUID

from meterai.apps.audit_history import IS_YOUNG, Mark
from meterai.payments import qr_complaints
from meterai.plumbing.database import Database, Row
from meterai.plumbing.invariants import SHOWN_MAX, Finding, Invariant, patiently

READ_AT_ONCE = 5_000  # rows of some hundred bytes

QRS = Invariant(
    "qr_pays_its_attempt",
    "Every QR pays us and nobody else, the amount of its attempt, under the number the provider "
    "gave it, and its check sum is right.",
    "",
)
_FIRST = UUID(int=0)
_READ = """
SELECT account_id, attempt_id, state, amount, qr_content, provider_reference FROM payment_attempts t
WHERE (account_id, attempt_id) > (%s, %s) AND qr_content IS NOT NULL
    AND (state = 'waiting' OR {which})
ORDER BY account_id, attempt_id LIMIT {READ_AT_ONCE}
"""
_EACH = _READ.format(which="true", READ_AT_ONCE=READ_AT_ONCE)
_YOUNG = _READ.format(which=IS_YOUNG.format(row="t"), READ_AT_ONCE=READ_AT_ONCE)


async def check_qrs(database: Database, ours: Collection[str], since: Mark | None) -> Finding:
    """Read the QRs that were written since a mark, or every one, and those that can be paid now.

    `ours` is what may stand for a merchant in them.
    """
    wrong: list[Row] = []
    query, young = (_YOUNG, [since.xid]) if since else (_EACH, [])
    account, attempt = _FIRST, _FIRST
    while True:
        async with database.transaction() as tx:
            rows = await patiently(tx, query, account, attempt, *young)
        for row in rows:
            told = {"account_id": row["account_id"], "attempt_id": row["attempt_id"]}
            number = row["provider_reference"] or ""
            found = list(qr_complaints(row["qr_content"], row["amount"], ours, number))
            wrong += [told | {"state": row["state"], "is": ", ".join(found)}] if found else []
        if len(rows) < READ_AT_ONCE:
            return Finding(QRS, len(wrong), wrong[:SHOWN_MAX])
        account, attempt = rows[-1]["account_id"], rows[-1]["attempt_id"]
