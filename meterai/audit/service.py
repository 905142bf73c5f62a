"""The one command of the room: write down an act."""

from uuid import UUID

from meterai.kit.actor import Actor
from meterai.plumbing.database import Tx, jsonb

# Not by `audit_record`: stamps must be stopped at any version of the schema.
_RECORD = """
INSERT INTO audit_events (account_id, actor, action, subject, facts) VALUES (%s, %s, %s, %s, %s)
"""


async def record(
    tx: Tx, account: UUID, *, actor: Actor, action: str, subject: str, **facts: object
) -> None:
    """Write down that `actor` did `action` to `subject`, in the transaction that does it."""
    await tx.run(_RECORD, account, str(actor), action, subject, jsonb(facts))
