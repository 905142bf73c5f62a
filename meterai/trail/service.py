"""Writing of lines of the audit trail."""

from uuid import UUID

from meterai.kit.actor import Actor
from meterai.plumbing.db.database import Tx, jsonb
from meterai.plumbing.observe.exchange import EXCHANGE

# Plain SQL instead of the SQL function `audit_record`: stopping the issuing of stamps must work with
# any version of the schema.
_RECORD = """
INSERT INTO audit_events (account_id, actor, action, subject, facts) VALUES (%s, %s, %s, %s, %s)
"""


async def record(
    tx: Tx, account: UUID, /, *, actor: Actor, action: str, subject: str, **facts: object
) -> None:
    """Record that `actor` did `action` on `subject`, in the transaction of the act, with the id of the current
    request."""
    await tx.run(_RECORD, account, str(actor), action, subject, jsonb(with_request(facts)))


def with_request(facts: dict[str, object]) -> dict[str, object]:
    """Return the facts of an audit line, with the id of the current request added if there is one."""
    exchange = EXCHANGE.get()
    return facts if exchange is None else {**facts, "request": exchange.id}
