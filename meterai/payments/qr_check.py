"""Audit of stored payment instructions: they must pay us, pay the amount of their attempt, and have the number that the
provider gave them.

If somebody exchanged a QR or account number in the database, a buyer's money would go to somebody else, and the books would not
show it.  Therefore the rail parses and checks the instructions again.  An attempt that may still be paid is a finding too if
the installation no longer has its rail: then no process opens, queries or cancels it.
"""

from uuid import UUID

from meterai.payments.installed import Rails
from meterai.payments.model import read_instructions
from meterai.plumbing.db.database import Database, Row
from meterai.plumbing.db.invariants import SHOWN_MAX, Invariant, InvariantFinding, patiently
from meterai.plumbing.db.marks import IS_YOUNG, Mark

READ_AT_ONCE = 5_000  # rows of some hundred bytes

QRS = Invariant(
    "qr_pays_its_attempt",
    "Every QR, or other instructions, pays us and nobody else the amount of its attempt, under "
    "the number that the provider assigned, with a correct check sum.",
    "",
)
RAILS_THERE = Invariant(
    "attempt_has_its_rail",
    "Every attempt that can still be paid or refunded belongs to a rail that is configured in "
    "this installation.",
    "",
)
NUMBERS = Invariant(
    "payment_number_is_of_its_rail",
    "The number of a payment begins with the prefix of the rail of its attempt, so that no two "
    "rails have the same number.",
    "",
)
_FIRST = UUID(int=0)
_READ = """
SELECT account_id, attempt_id, state, amount, provider, provider_reference, instructions
FROM payment_attempts t
WHERE (account_id, attempt_id) > (%s, %s) AND provider = ANY (%s)
    AND instructions IS NOT NULL AND (state = 'waiting' OR {which})
ORDER BY account_id, attempt_id LIMIT {READ_AT_ONCE}
"""
_EACH = _READ.format(which="true", READ_AT_ONCE=READ_AT_ONCE)
_YOUNG = _READ.format(which=IS_YOUNG.format(row="t"), READ_AT_ONCE=READ_AT_ONCE)
_WITHOUT_RAIL = """
SELECT provider, count(*) AS attempts, min(opened_at) AS opened_at, sum(amount)::bigint AS amount
FROM payment_attempts a WHERE provider <> ALL (%s) AND (state IN ('opening', 'waiting', 'lost')
    OR (ask_at < 'infinity' AND state <> 'denied')
    OR EXISTS (SELECT 1 FROM refunds r WHERE r.account_id = a.account_id
        AND r.attempt_id = a.attempt_id AND refund_is_open(r.state)))
GROUP BY provider
"""


_NUMBERS = f"""
SELECT c.account_id, c.attempt_id, c.payment, a.provider
FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    JOIN unnest(%s::text[], %s::text[]) AS own (rail, prefix) ON own.rail = a.provider
WHERE (%s::text IS NULL OR {IS_YOUNG.format(row="c")}) AND CASE WHEN own.prefix <> ''
    THEN NOT starts_with(c.payment, own.prefix)
    ELSE EXISTS (SELECT 1 FROM unnest(%s::text[]) AS other (prefix)
                 WHERE other.prefix <> '' AND starts_with(c.payment, other.prefix)) END
"""  # noqa: S608 - of constants


async def check_numbers(database: Database, rails: Rails, since: Mark | None) -> InvariantFinding:
    """Check that the number of each payment begins with the prefix of its rail; with `since` (a moment of an earlier audit),
    check only payments captured since then.
    """
    prefixes = [rails.kind(name).prefix for name in rails.names()]
    xid = since.xid if since else None
    async with database.transaction() as tx:
        rows = await patiently(
            tx, _NUMBERS, list(rails.names()), prefixes, xid, xid or "3", prefixes
        )
    return InvariantFinding(NUMBERS, len(rows), rows[:SHOWN_MAX])


async def check_qrs(database: Database, rails: Rails, since: Mark | None) -> InvariantFinding:
    """Check the instructions of attempts; with `since` (a moment of an earlier audit), only instructions that were written
    since then or can be paid now.

    Instructions of a rail that the installation no longer has are left to `check_rails`.
    """
    wrong: list[Row] = []
    query, young = (_YOUNG, [since.xid]) if since else (_EACH, [])
    names = list(rails.names())
    account, attempt = _FIRST, _FIRST
    while True:
        async with database.transaction() as tx:
            rows = await patiently(tx, query, account, attempt, names, *young)
        for row in rows:
            told = {"account_id": row["account_id"], "attempt_id": row["attempt_id"]}
            found = _complaints(rails, row)
            wrong += [told | {"state": row["state"], "is": ", ".join(found)}] if found else []
        if len(rows) < READ_AT_ONCE:
            return InvariantFinding(QRS, len(wrong), wrong[:SHOWN_MAX])
        account, attempt = rows[-1]["account_id"], rows[-1]["attempt_id"]


def _complaints(rails: Rails, row: Row) -> list[str]:
    told = read_instructions(row["instructions"])
    if told is None:
        return ["no instructions of a kind that we know"]
    return rails.complaints(row["provider"], told, row["amount"], row["provider_reference"])


async def check_rails(database: Database, rails: Rails) -> InvariantFinding:
    """Check that this installation has the rail of each attempt that may still be paid, refunded or cancelled."""
    async with database.transaction() as tx:
        rows = await patiently(tx, _WITHOUT_RAIL, list(rails.names()))
    return InvariantFinding(RAILS_THERE, sum(row["attempts"] for row in rows), rows[:SHOWN_MAX])
