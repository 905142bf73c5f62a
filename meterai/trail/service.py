"""Write down an act."""

from uuid import UUID

from meterai.kit.actor import Actor
from meterai.plumbing.db.database import Tx, jsonb
from meterai.plumbing.observe.exchange import EXCHANGE

# Not by `audit_record`: stamps must be stopped at any version of the schema.
_RECORD = """
INSERT INTO audit_events (account_id, actor, action, subject, facts) VALUES (%s, %s, %s, %s, %s)
"""


async def record(
    tx: Tx, account: UUID, /, *, actor: Actor, action: str, subject: str, **facts: object
) -> None:
    """Write down that `actor` did `action` to `subject`, in the transaction that does it, with the id of the
    request that is being answered."""
    await tx.run(_RECORD, account, str(actor), action, subject, jsonb(with_request(facts)))


def with_request(facts: dict[str, object]) -> dict[str, object]:
    """Facts of a line with the id of the request that is being answered, where one is."""
    exchange = EXCHANGE.get()
    return facts if exchange is None else {**facts, "request": exchange.id}
