"""Lines of the audit trail; pure."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class TrailLine(NamedTuple):
    """A line of the audit trail: one action, the actor who did it, the subject that it was done to, and facts about it."""

    account: UUID
    actor: str
    action: str
    subject: str
    facts: dict[str, Any]
    happened_at: datetime
